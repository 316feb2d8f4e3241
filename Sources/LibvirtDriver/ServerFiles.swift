import Foundation

/// Where the files of one server are.
struct ServerFiles: Equatable {
  let folder: String
  private let machine: UUID

  init(dataDirectory: String, machine: UUID) {
    self.machine = machine
    self.folder = "\(Self.root(dataDirectory))/\(machine.text)"
  }

  static func root(_ dataDirectory: String) -> String { "\(dataDirectory)/servers" }

  var disk: String { "\(folder)/disk.qcow2" }
  var seed: String { "\(folder)/seed.tar" }
  /// There while the guest's file systems may be frozen.
  var frozenMark: String { "\(folder)/frozen" }
  var console: String { "\(folder)/console.log" }
  /// The address of the machine's network card. Servers that are older than this file have none, and another address.
  var hardwareAddress: String { "\(folder)/mac" }

  /// The machines that have a folder.
  static func machines(dataDirectory: String) throws -> Set<UUID> {
    try MachineFiles.uuids(in: root(dataDirectory))
  }

  /// Another one for each attempt to fill it.
  var newPartialDisk: String { "\(disk).\(UUID().text).partial" }

  func removePartialDisks() throws {
    for name in try MachineFiles.names(in: folder) where name.hasPrefix("disk.qcow2.") && name.hasSuffix(".partial") {
      try MachineFiles.remove("\(folder)/\(name)")
    }
  }

  func removeDisk() throws {
    guard MachineFiles.exists(folder) else { return }
    try MachineFiles.remove(disk)
    try removePartialDisks()
    try MachineFiles.sync(folder)
  }

  /// Written down once, so that a disk keeps it for ever, however others get theirs.
  var hasHardwareAddress: Bool { MachineFiles.exists(hardwareAddress) }

  func keepHardwareAddress() throws {
    guard !hasHardwareAddress else { return }
    try MachineFiles.write(Array("\(DomainDefinition.hardwareAddress(of: machine))\n".utf8), to: hardwareAddress)
  }

  func makeConsole() throws {
    let descriptor = open(console, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw HostError.last("make \(console)") }
    close(descriptor)
  }

  /// QEMU appends, so it goes on at the beginning.
  func trimConsole() {
    if let size = try? MachineFiles.size(of: console), size > 1 << 20 { truncate(console, 0) }
  }
}
