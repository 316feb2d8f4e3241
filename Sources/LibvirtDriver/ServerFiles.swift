import Core
import Foundation
import PrivateFiles

/// The paths of one server's files.
struct ServerFiles: Equatable {
  let folder: String
  let machine: UUID

  init(dataDirectory: String, machine: UUID) {
    self.machine = machine
    self.folder = "\(Self.root(dataDirectory))/\(machine.text)"
  }

  static func root(_ dataDirectory: String) -> String { "\(dataDirectory)/servers" }

  var disk: String { "\(folder)/disk.qcow2" }
  /// The `DiskRecord`: how the disk is run.
  var diskRecord: String { "\(folder)/disk.json" }
  /// The `CloneRecord`; exists until the first start of a machine that was made from a template.
  var clone: String { "\(folder)/clone.json" }
  /// Exists where the memory of a template replaced the first boot of the disk.
  var instantMark: String { "\(folder)/instant" }
  /// The variables that UEFI firmware keeps.
  var firmwareVariables: String { "\(folder)/uefi-variables.fd" }
  /// The `MachineType`, which stays the same for as long as the machine exists.
  var machineType: String { "\(folder)/machine-type" }
  /// The `CPUModel` that its guest sees; absent where the guest sees whatever the host offers.
  var cpuModel: String { "\(folder)/cpu.json" }
  var seed: String { "\(folder)/seed.tar" }
  /// Exists only while there is a rescue system.
  var rescueDisk: String { "\(folder)/rescue.qcow2" }
  var rescueSeed: String { "\(folder)/rescue-seed.tar" }
  /// Exists while the guest's file systems may be frozen.
  var frozenMark: String { "\(folder)/frozen" }
  var console: String { "\(folder)/console.log" }
  /// The `RoutedInterface`: what the host's network has to know of the server.
  var network: String { "\(folder)/network.json" }
  /// The host's traffic counters of the server at its last start.
  var trafficAtStart: String { "\(folder)/traffic-at-start" }
  /// Exists for servers whose network card has 40 bits of their UUID in its hardware address; older ones have 24.
  var hardwareAddressMark: String { "\(folder)/mac" }

  /// The machines that have a folder.
  static func machines(dataDirectory: String) throws -> Set<UUID> {
    try MachineFiles.uuids(in: root(dataDirectory))
  }

  /// A new path for each attempt to write a disk.
  var newPartialDisk: String { "\(disk).\(UUID().text).partial" }

  func removePartialDisks() throws {
    for name in try MachineFiles.names(in: folder) where name.hasPrefix("disk.qcow2.") && name.hasSuffix(".partial") {
      try MachineFiles.remove("\(folder)/\(name)")
    }
  }

  func removeRescue() throws {
    guard MachineFiles.exists(rescueDisk) || MachineFiles.exists(rescueSeed) else { return }
    try MachineFiles.remove(rescueDisk)
    try MachineFiles.remove(rescueSeed)
    try PrivateFile.sync(folder)
  }

  func removeDisk() throws {
    guard MachineFiles.exists(folder) else { return }
    try MachineFiles.remove(disk)
    try MachineFiles.remove(clone)
    try MachineFiles.remove(instantMark)
    try MachineFiles.remove(firmwareVariables)
    try removePartialDisks()
    try PrivateFile.sync(folder)
  }

  /// The hardware address of a machine older than the stored addresses: its guest may identify the card by it. Reads the disk.
  var earlierHardwareAddress: HardwareAddress {
    let uuid = machine.uuid
    let bytes =
      MachineFiles.exists(hardwareAddressMark)
      ? [UInt8(0x52), uuid.11, uuid.12, uuid.13, uuid.14, uuid.15] : [0x52, 0x54, 0, uuid.13, uuid.14, uuid.15]
    return HardwareAddress(number: bytes.reduce(0) { $0 << 8 | UInt64($1) })
  }

  func makeConsole() throws {
    let descriptor = open(console, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw HostError.last("make \(console)") }
    close(descriptor)
  }

  /// QEMU opened the file for appending, so it continues at the beginning.
  func trimConsole() {
    if let size = try? MachineFiles.size(of: console), size > 1 << 20 { truncate(console, 0) }
  }
}
