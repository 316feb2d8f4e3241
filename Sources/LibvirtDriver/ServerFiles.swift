import Core
import Foundation
import PrivateFiles

/// Where the files of one server are.
struct ServerFiles: Equatable {
  let folder: String
  let machine: UUID

  init(dataDirectory: String, machine: UUID) {
    self.machine = machine
    self.folder = "\(Self.root(dataDirectory))/\(machine.text)"
  }

  static func root(_ dataDirectory: String) -> String { "\(dataDirectory)/servers" }

  var disk: String { "\(folder)/disk.qcow2" }
  /// How the disk is run.
  var diskRecord: String { "\(folder)/disk.json" }
  /// What the firmware of a machine with UEFI keeps.
  var firmwareVariables: String { "\(folder)/uefi-variables.fd" }
  /// Of which it is for as long as it is there.
  var machineType: String { "\(folder)/machine-type" }
  /// Of the processor that its guest sees; absent where that is whatever there is.
  var cpuModel: String { "\(folder)/cpu.json" }
  var seed: String { "\(folder)/seed.tar" }
  /// Of the rescue system, for as long as there is one.
  var rescueDisk: String { "\(folder)/rescue.qcow2" }
  var rescueSeed: String { "\(folder)/rescue-seed.tar" }
  /// There while the guest's file systems may be frozen.
  var frozenMark: String { "\(folder)/frozen" }
  var console: String { "\(folder)/console.log" }
  /// What a host that routes to its servers has to know of it.
  var network: String { "\(folder)/network.json" }
  /// What the host had counted of its traffic when it was started.
  var trafficAtStart: String { "\(folder)/traffic-at-start" }
  /// There for servers whose network card has 40 bits of their UUID as its address; those that are older still have 24.
  var hardwareAddressMark: String { "\(folder)/mac" }

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

  func removeRescue() throws {
    guard MachineFiles.exists(rescueDisk) || MachineFiles.exists(rescueSeed) else { return }
    try MachineFiles.remove(rescueDisk)
    try MachineFiles.remove(rescueSeed)
    try PrivateFile.sync(folder)
  }

  func removeDisk() throws {
    guard MachineFiles.exists(folder) else { return }
    try MachineFiles.remove(disk)
    try MachineFiles.remove(firmwareVariables)
    try removePartialDisks()
    try PrivateFile.sync(folder)
  }

  /// The address of the network card of a machine that is older than the register of these: its guest may know the card by
  /// it. Reads.
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

  /// QEMU appends, so it goes on at the beginning.
  func trimConsole() {
    if let size = try? MachineFiles.size(of: console), size > 1 << 20 { truncate(console, 0) }
  }
}
