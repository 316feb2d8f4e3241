import Core
package import Foundation

/// Disks and their copies in a folder that several simulated hosts reach. Each disk is one host's, and open at one host at most: any
/// other one that writes to it or opens it is refused, and that is noted.
package struct SharedStorage: Sendable {
  let folder: URL
  /// The name of the host that uses it.
  let host: String
  /// Whether this process only looks at the host, and leaves what becomes of it to another one.
  let onlyLooks: Bool

  package init(in folder: URL, for host: String, onlyLooks: Bool = false) {
    self.folder = folder
    self.host = host
    self.onlyLooks = onlyLooks
  }

  /// Whether the other one is of another host that reaches the same disks.
  func isBeside(_ other: SharedStorage) -> Bool { other.folder.path == folder.path && other.host != host }

  func disks(of installation: UUID) throws(DriverError) -> SharedDisks {
    SharedDisks(
      records: try RecordFolder(
        folder.appendingPathComponent("disks"), installation: installation, isShared: true, makes: true),
      installation: installation, host: host)
  }

  func copies(of installation: UUID) throws(DriverError) -> RecordFolder<SimulatedCopy> {
    try RecordFolder(folder.appendingPathComponent("copies"), installation: installation, isShared: true, makes: true)
  }
}

/// A disk on shared storage, which outlives the host that has it.
package struct SharedDisk: SimulatedRecord {
  package let uuid: UUID
  let installation: UUID
  /// The host whose machine it is.
  package internal(set) var owner: String
  /// The host at which the machine is on.
  package internal(set) var openedBy: String?
  package internal(set) var disk: SimulatedMachine.Disk?
  var rescueDisk: SimulatedMachine.Disk?
  /// How often a host was refused because the disk is another one's, or open there.
  package internal(set) var refusalCount = 0
}

/// The disks as one host uses them.
struct SharedDisks: Sendable {
  let records: RecordFolder<SharedDisk>
  let installation: UUID
  let host: String

  func record(of machine: UUID) throws(DriverError) -> SharedDisk? { try records.record(of: machine) }

  func owns(_ machine: UUID) throws(DriverError) -> Bool { try record(of: machine)?.owner == host }

  /// Writes what the host's machine has become. To be called before that is written down elsewhere.
  func keep(_ machine: SimulatedMachine) throws(DriverError) {
    // The half of a machine that comes from another host has nothing of its disk.
    guard !machine.isUnderWay else { return }
    try change(machine.uuid) { known throws(DriverError) in
      var disk = known ?? SharedDisk(uuid: machine.uuid, installation: installation, owner: host)
      let isOn = machine.boot != nil
      guard disk.owner == host, !isOn || disk.openedBy ?? host == host else {
        // Whoever lost the disk can do no more than let go of it.
        guard disk.openedBy == host, !isOn else { throw refusal(&disk, &known) }
        disk.openedBy = nil
        known = disk
        return
      }
      (disk.disk, disk.rescueDisk) = (machine.disk, machine.rescueDisk)
      if isOn { disk.openedBy = host } else if disk.openedBy == host { disk.openedBy = nil }
      known = disk
    }
  }

  /// Makes the disk the host's. Throws `busy` while it is open at another one. Nil where there is none.
  func take(_ machine: UUID) throws(DriverError) -> SharedDisk? {
    try change(machine) { known throws(DriverError) in
      guard var disk = known else { return }
      guard disk.openedBy ?? host == host else { throw refusal(&disk, &known) }
      disk.owner = host
      known = disk
    }
  }

  /// The host has nothing of the machine any more.
  ///
  /// - Parameter erases: Whether a disk that is the host's goes with it.
  func leave(_ machine: UUID, erases: Bool) throws(DriverError) {
    _ = try change(machine) { known in
      if erases, known?.owner == host {
        known = nil
      } else if known?.openedBy == host {
        known?.openedBy = nil
      }
    }
  }

  /// The host lost its power.
  func closeAll() throws(DriverError) {
    for machine in try records.load().values.filter({ $0.openedBy == host }).map(\.uuid) {
      _ = try change(machine) { known in if known?.openedBy == host { known?.openedBy = nil } }
    }
  }

  private func refusal(_ disk: inout SharedDisk, _ known: inout SharedDisk?) -> DriverError {
    disk.refusalCount += 1
    known = disk
    let whose = disk.openedBy.flatMap { $0 == host ? nil : "is open at" } ?? "is"
    let other = disk.openedBy.flatMap { $0 == host ? nil : $0 } ?? disk.owner
    return DriverError(.busy, "The disk of \(disk.uuid) \(whose) the host \(other): nothing is done with it here.")
  }

  /// Nobody else changes it meanwhile, in whatever process. What the body has made of it is written even where the body throws.
  @discardableResult
  private func change(
    _ machine: UUID, _ body: (inout SharedDisk?) throws(DriverError) -> Void
  ) throws(DriverError) -> SharedDisk? {
    let lock = open(records.lockPath, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    guard lock >= 0, flock(lock, LOCK_EX) == 0 else {
      throw DriverError(.unreachable, "Cannot lock the shared disks: \(String(cString: strerror(errno)))")
    }
    defer { close(lock) }
    let before = try records.record(of: machine)
    var disk = before
    var refused: DriverError?
    do throws(DriverError) { try body(&disk) } catch { refused = error }
    if let disk, disk != before { try records.write(disk) }
    if disk == nil, before != nil { try records.remove(machine) }
    if let refused { throw refused }
    return disk
  }
}
