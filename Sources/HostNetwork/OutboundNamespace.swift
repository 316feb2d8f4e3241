package import Core
package import Foundation
package import HostPrograms
package import Logging
import PrivateFiles
import Synchronization

/// Where machines of the loopback network run that reach the internet: a network namespace whose only link is slirp4netns, a
/// program of this host that opens connections for them. What they send to a loopback address stays in the namespace, and
/// nothing of the host's own network is changed.
///
/// An address 127.a.b.c of the host is 240.a.b.c inside, and what listens there is listened for outside. All of it outlives this
/// process, and blocks.
package final class OutboundNamespace: Sendable {
  private struct State {
    var unforwarded: Set<ForwardedListener> = []
    var closedAddresses: [String] = []
  }

  private let directory: String
  private let mayMail: Bool
  private let logger: Logger
  private let uplink: SlirpProcess
  private let state = Mutex(State())

  package init(directory: String, mayMail: Bool, logger: Logger) {
    (self.directory, self.mayMail, self.logger) = (directory, mayMail, logger)
    uplink = SlirpProcess(directory: directory)
  }

  /// Which a program enters with `nsenter --net=`.
  package var path: String { "\(directory)/namespace" }

  /// As the kernel names it; nil where there is none.
  package var identity: String? {
    let file = Self.file(path)
    return Self.isNamespace(path) ? "net:[\(file.st_ino)]" : nil
  }

  /// What a guest asks for names.
  package static let nameServer = SlirpProcess.nameServer

  package static func inside(_ address: IPv4Address) -> IPv4Address {
    IPv4Address(number: 240 << 24 | address.number & 0x00FF_FFFF)
  }

  /// Why this host cannot have one; nil where it can.
  package static func obstacle() -> String? {
    guard getuid() == 0 else { return "vpsd does not run as root" }
    for program in ["slirp4netns", "nft", "ip", "nsenter", "unshare"] where HostProgram.path(of: program) == nil {
      return "\(program) is not installed on this host"
    }
    let probe = "ip link set lo up && ip tuntap add dev probe mode tap && nft add table inet probe"
    do {
      try HostProgram("unshare", ["--net", "sh", "-c", probe]).run(within: .seconds(10))
      return nil
    } catch {
      return "it lets nobody make a network: \(error)"
    }
  }

  // MARK: - What there should be

  /// - Parameter holder: A process that may be inside already, where the name of its namespace was lost.
  package func ensure(heldBy holder: pid_t?) throws {
    try state.withLock { state in
      if !Self.isNamespace(path) {
        uplink.end()
        try makeNamespace(heldBy: holder)
      }
      try ensureUplink(&state)
    }
  }

  /// Brings in force what is inside, and what listens there.
  package func reconcile() throws {
    try state.withLock { state in
      guard Self.isNamespace(path) else { return }
      try ensureUplink(&state)
      try forward(&state)
    }
  }

  /// Looks again and again until it is to stop.
  package func keep(until stop: StopSignal) {
    var lastProblem = ""
    while !stop.isSet {
      do {
        try reconcile()
        lastProblem = ""
      } catch {
        if "\(error)" != lastProblem { logger.error("the way out of servers is not as it should be: \(error)") }
        lastProblem = "\(error)"
      }
      let next = ContinuousClock.now + Self.interval
      while !stop.isSet, ContinuousClock.now < next { poll(nil, 0, 50) }
    }
  }

  private static let interval = Duration.seconds(1)

  /// Removes all of it, unless a machine runs in there.
  package func removeIfUnused() throws {
    try state.withLock { state in
      guard Self.isNamespace(path), try listeners().isEmpty else { return }
      uplink.end()
      try HostProgram("umount", [path]).run(within: .seconds(10))
      unlink(path)
      state = State()
    }
  }

  // MARK: - The namespace

  private func makeNamespace(heldBy holder: pid_t?) throws {
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    try PrivateFile.write([], to: path)
    let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/net")
    if let holder, let held = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(holder)/ns/net"),
      held != own
    {
      try HostProgram("mount", ["--bind", "/proc/\(holder)/ns/net", path]).run(within: .seconds(10))
    } else {
      try HostProgram("unshare", ["--net=\(path)", "ip", "link", "set", "lo", "up"]).run(within: .seconds(10))
    }
  }

  /// All namespaces are files of one file system.
  private static func isNamespace(_ path: String) -> Bool { file(path).st_dev == file("/proc/self/ns/net").st_dev }

  /// Nothing but zeros where there is none.
  private static func file(_ path: String) -> stat {
    var status = stat()
    return stat(path, &status) == 0 ? status : stat()
  }

  private func ensureUplink(_ state: inout State) throws {
    if !uplink.isRunning {
      try uplink.start(in: path)
      // So that no QEMU need be root to listen, and none's address need be added.
      try run("sh", ["-c", "echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start"])
      try run("ip", ["route", "replace", "local", "240.0.0.0/8", "dev", "lo"])
      state.closedAddresses = []
      state.unforwarded = []
    }
    let addresses = try Self.hostAddresses()
    guard addresses != state.closedAddresses else { return }
    // Before any of them is open to whoever is inside.
    try run("nft", ["-f", "-"], input: rules(closing: addresses))
    state.closedAddresses = addresses
  }

  /// What listens on them is the host's, and not for guests.
  private static func hostAddresses() throws -> [String] {
    let links: [AddressOutput] = try KernelNetwork.output("-4", "address", "show")
    return Set(links.flatMap { $0.addrInfo ?? [] }.compactMap(\.local)).sorted()
  }

  private func rules(closing addresses: [String]) -> String {
    let mail = mayMail ? "" : "tcp dport 25 reject with tcp reset"
    return """
      table inet vpsd { }
      delete table inet vpsd
      table inet vpsd {
        chain output {
          type filter hook output priority 0; policy accept;
          oifname "lo" drop
          ct state established,related accept
          meta nfproto ipv6 drop
          ip daddr \(Self.nameServer) meta l4proto { tcp, udp } th dport 53 accept
          \(mail)
          ip daddr { \(Ruleset.closed.joined(separator: ", ")) } drop
          ip daddr { \(addresses.joined(separator: ", ")) } drop
        }
      }

      """
  }

  @discardableResult
  private func run(_ program: String, _ arguments: [String], input: String = "") throws -> String {
    try HostProgram(
      "nsenter", ["--net=\(path)", program] + arguments, input: Array(input.utf8), outputLimitBytes: 16 << 20
    ).run(within: .seconds(30))
  }

  // MARK: - What listens inside

  private func listeners() throws -> Set<ForwardedListener> {
    Set(
      try run("cat", ["/proc/net/tcp"]).split(separator: "\n").compactMap { ForwardedListener(socket: $0) })
  }

  private func forward(_ state: inout State) throws {
    let wanted = try listeners()
    let present = try uplink.forwards()
    for (listener, id) in present where !wanted.contains(listener) { try uplink.removeForward(id) }
    state.unforwarded.formIntersection(wanted)
    for listener in wanted where present[listener] == nil {
      if try uplink.addForward(listener) {
        state.unforwarded.remove(listener)
      } else if state.unforwarded.insert(listener).inserted {
        logger.warning("another program of this host listens at \(listener.outside), port \(listener.port)")
      }
    }
  }
}

/// A port of a server, which has the same number on both sides.
struct ForwardedListener: Hashable {
  let outside: IPv4Address
  let port: UInt16

  var inside: IPv4Address { OutboundNamespace.inside(outside) }

  init(outside: IPv4Address, port: UInt16) {
    (self.outside, self.port) = (outside, port)
  }

  /// - Parameter line: Of /proc/net/tcp, which tells an address as a number of the machine's own byte order.
  init?(socket line: Substring) {
    let fields = line.split(separator: " ", omittingEmptySubsequences: true)
    guard fields.count > 3, fields[3] == "0A" else { return nil }
    let parts = fields[1].split(separator: ":")
    guard parts.count == 2, let number = UInt32(parts[0], radix: 16)?.byteSwapped, number >> 24 == 240,
      let port = UInt16(parts[1], radix: 16)
    else { return nil }
    self.init(outside: IPv4Address(number: 127 << 24 | number & 0x00FF_FFFF), port: port)
  }
}
