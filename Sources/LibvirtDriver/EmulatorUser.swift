import Core
import Foundation
import Logging
import PrivateFiles
import Synchronization

/// The user as which QEMU runs.
enum EmulatorUser: Equatable {
  /// QEMU's sandbox is on in this case, too.
  case root
  /// Every server has a user of its own, which has no name, no password and nothing else: whoever broke out of one QEMU could
  /// neither read nor stop another.
  case oneForEachServer(group: UInt32)

  /// The lowest user ID of servers: above those of people, services and containers, and below the sign bit.
  private static let firstUser: UInt32 = 0x7000_0000
  /// The lowest user ID of servers that cannot have the one derived from their address.
  private static let firstOther: UInt32 = 0x7100_0000
  private static let numbers: UInt32 = 0xFF_FFFF

  private static let claims = Mutex(())

  /// The user and group of a server's QEMU. A server keeps the user that it claimed, whatever its addresses are now: the owner of
  /// its console log. Any other gets the user of its first address or, if another server has that one, a free one near its UUID.
  func owner(of machine: UUID, at address: IPv4Address, dataDirectory: String) throws -> FileOwner {
    guard case .oneForEachServer(let group) = self else { return .root }
    func user(of machine: UUID) -> UInt32? {
      let console = ServerFiles(dataDirectory: dataDirectory, machine: machine).console
      let user = (try? FileOwner(of: console))?.user ?? 0
      return (Self.firstUser...Self.firstOther | Self.numbers).contains(user) ? user : nil
    }
    if let user = user(of: machine) { return FileOwner(user: user, group: group) }
    let others = try ServerFiles.machines(dataDirectory: dataDirectory).subtracting([machine])
    let taken = Set(others.compactMap { user(of: $0) })
    let bytes = machine.uuid
    let number = UInt32(bytes.13) << 16 | UInt32(bytes.14) << 8 | UInt32(bytes.15)
    var chosen = owner(at: address).user
    var step: UInt32 = 0
    while taken.contains(chosen) {
      chosen = Self.firstOther | (number &+ step) & Self.numbers
      step += 1
    }
    return FileOwner(user: chosen, group: group)
  }

  /// Makes the user that a server is about to be defined with its own, by making its console log. Two new servers can have
  /// addresses that lead to the same user: the second one sees the claim of the first.
  func claim(for machine: UUID, at address: IPv4Address, dataDirectory: String) throws {
    try Self.claims.withLock { _ in
      let files = ServerFiles(dataDirectory: dataDirectory, machine: machine)
      let owner = try owner(of: machine, at: address, dataDirectory: dataDirectory)
      try files.makeConsole()
      try owner.take(files.console)
    }
  }

  /// The user derived from an address, by the lower 24 bits of the address.
  func owner(at address: IPv4Address) -> FileOwner {
    switch self {
    case .root: .root
    case .oneForEachServer(let group): FileOwner(user: Self.firstUser | (address.number & Self.numbers), group: group)
    }
  }

  /// Root only where our own libvirtd allows nothing else, which is logged. Throws `NoUserForQEMU` in that case with the host's
  /// libvirtd.
  static func chosen(
    for configuration: LibvirtDriver.Configuration, on host: UserSupport, accelerator: Accelerator, logger: Logger
  ) throws -> EmulatorUser {
    let obstacle = host.obstacle(for: configuration, accelerator: accelerator)
    guard let obstacle else { return .oneForEachServer(group: host.group(for: accelerator)) }
    guard configuration.daemon == .own else {
      throw NoUserForQEMU(obstacle: obstacle)
    }
    logger.notice("QEMU runs as root, in its sandbox: \(obstacle)")
    return .root
  }
}

/// Thrown because QEMU never runs as root under the host's libvirtd.
struct NoUserForQEMU: Error, CustomStringConvertible {
  let obstacle: String

  var description: String { "With `libvirtd: host` QEMU does not run as root, but \(obstacle)." }
}

/// What a host allows to users other than root.
struct UserSupport {
  /// The lowest port on which any user may listen.
  var lowestPort: UInt16 = 1024
  /// The group that may use KVM; nil where only root may.
  var kvmGroup: UInt32?
  /// The content of `/proc/self/uid_map`: inside a container some user IDs may not exist.
  var userMap = "0 0 4294967295"

  init() {}

  static func ofThisHost() -> UserSupport {
    var support = UserSupport()
    func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }
    let port = text("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    support.lowestPort = port.flatMap { UInt16($0.trimmingCharacters(in: .whitespacesAndNewlines)) } ?? 1024
    support.userMap = text("/proc/self/uid_map") ?? support.userMap
    var device = stat()
    if stat("/dev/kvm", &device) == 0 {
      support.kvmGroup = device.st_mode & 0o006 == 0o006 ? nobodysGroup : device.st_gid == 0 ? nil : device.st_gid
    }
    return support
  }

  /// QEMU's group where KVM requires none.
  private static let nobodysGroup: UInt32 = 0x7000_0000

  func group(for accelerator: Accelerator) -> UInt32 {
    accelerator == .kvm ? kvmGroup ?? Self.nobodysGroup : Self.nobodysGroup
  }

  /// Why QEMU cannot run as a user other than root, as text after a colon or "and"; nil where it can.
  func obstacle(for configuration: LibvirtDriver.Configuration, accelerator: Accelerator) -> String? {
    if let port = configuration.hostPorts.min(), port < lowestPort, configuration.daemon == .own {
      return "others may not listen below port \(lowestPort) (net.ipv4.ip_unprivileged_port_start)"
    }
    if accelerator == .kvm, kvmGroup == nil { return "others may not use /dev/kvm" }
    if !hasUser(0x71FF_FFFF) { return "there are no other users in this container" }
    let group = group(for: accelerator)
    let data = Self.url(configuration.dataDirectory)
    let (images, copies) = (Self.url(configuration.imageDirectory), Self.url(configuration.copyDirectory))
    let ways = [data, images, copies].flatMap(Self.way) + [images]
    // vpsd sets the permissions of the data directory and its content itself.
    let closed = ways.first { $0 != data && Self.isClosed($0.path, to: group) }
    return closed.map { "others may not enter \($0.path)" }
  }

  private func hasUser(_ user: Int) -> Bool {
    userMap.split(separator: "\n").contains { line in
      let numbers = line.split(separator: " ").compactMap { Int($0) }
      return numbers.count == 3 && user >= numbers[0] && user - numbers[0] < numbers[2]
    }
  }

  private static func url(_ path: String) -> URL {
    URL(fileURLWithPath: path, isDirectory: true).resolvingSymlinksInPath()
  }

  /// The folders above this one, from the root of the file system on.
  private static func way(to url: URL) -> [URL] {
    var folders: [URL] = []
    var folder = url
    while folder.path != "/" {
      folder.deleteLastPathComponent()
      folders.append(folder)
    }
    return folders.reversed()
  }

  private static func isClosed(_ folder: String, to group: UInt32) -> Bool {
    var status = stat()
    guard stat(folder, &status) == 0 else { return false }
    return status.st_mode & (status.st_gid == group ? 0o010 : 0o001) == 0
  }
}
