import Core
import Foundation
import PrivateFiles

/// The files with the copies of one server's disk. A copy gets its final name last, after its record, so one with that name is
/// whole.
struct CopyFiles: Equatable {
  let folder: String
  private let root: String

  /// The installation is part of the path, because several may share a folder for copies, and each removes the copies of
  /// servers that it does not have.
  init(copyDirectory: String, installation: UUID, machine: UUID) {
    root = Self.root(copyDirectory, installation)
    folder = "\(root)/\(machine.text)"
  }

  private static func root(_ copyDirectory: String, _ installation: UUID) -> String {
    "\(copyDirectory)/\(installation.text)"
  }

  /// The machines that have a folder.
  static func machines(copyDirectory: String, installation: UUID) throws -> Set<UUID> {
    try MachineFiles.uuids(in: root(copyDirectory, installation))
  }

  /// Makes the folder and lets the user who will write a copy pass through it and its parents.
  func makeFolder(for owner: FileOwner) throws {
    try MachineFiles.makeDirectory(root)
    try MachineFiles.makeDirectory(folder)
    try PrivateFile.sync(root)
    for folder in [(root as NSString).deletingLastPathComponent, root, folder] { try owner.letThrough(folder) }
  }

  func path(of copy: UUID) -> String { "\(folder)/\(copy.text).qcow2" }
  private func recordPath(of copy: UUID) -> String { "\(folder)/\(copy.text).json" }

  /// Makes an empty file with a new name for each attempt, so that a program still writing to an earlier one does no harm.
  func newPartial(of copy: UUID, for owner: FileOwner) throws -> String {
    let path = "\(folder)/\(copy.text).\(UUID().text).partial"
    try PrivateFile.write([], to: path)
    try owner.take(path)
    return path
  }

  /// Size and checksum from the record of a whole copy; nil where there is no copy, or only a partial one.
  func copiedDisk(_ copy: UUID) throws -> CopiedDisk? {
    record(of: copy).map { CopiedDisk(sizeBytes: $0.sizeBytes, checksum: $0.checksum) }
  }

  /// How a machine runs the copied disk; nil for a copy made before these records existed. Throws where the copy's own record
  /// is missing or damaged: a guess would run it as another machine.
  func diskRecord(of copy: UUID) throws -> DiskRecord? {
    guard let record = record(of: copy) else {
      throw DriverError(
        .rejected, "\(recordPath(of: copy)) cannot be read", customerReason: "The copy of the disk is damaged.")
    }
    return record.disk
  }

  private func record(of copy: UUID) -> Record? {
    guard MachineFiles.exists(path(of: copy)), let data = FileManager.default.contents(atPath: recordPath(of: copy))
    else {
      return nil
    }
    return try? JSONDecoder().decode(Record.self, from: data)
  }

  /// Turns a partial copy into a whole one. Its data must have been synced.
  func complete(_ partial: String, as copy: UUID, _ disk: CopiedDisk, runAs: DiskRecord?) throws {
    let record = Record(sizeBytes: disk.sizeBytes, checksum: disk.checksum, disk: runAs)
    try PrivateFile.write(Array(try JSONEncoder().encode(record)), to: recordPath(of: copy))
    guard rename(partial, path(of: copy)) == 0 else { throw HostError.last("rename \(partial)") }
    try MachineFiles.syncDirectory(of: partial)
  }

  /// The copies that have any file here, whole or partial.
  func copies() throws -> Set<UUID> {
    guard MachineFiles.exists(folder) else { return [] }
    return Set(try MachineFiles.names(in: folder).compactMap { UUID(uuidString: String($0.prefix(36))) })
  }

  /// Removes a copy and its partial files.
  func remove(_ copy: UUID) throws {
    guard MachineFiles.exists(folder) else { return }
    // First the name that marks the copy as whole.
    try MachineFiles.remove(path(of: copy))
    for name in try MachineFiles.names(in: folder) where name.hasPrefix("\(copy.text).") {
      try MachineFiles.remove("\(folder)/\(name)")
    }
    try PrivateFile.sync(folder)
  }

  private struct Record: Codable {
    let sizeBytes: Int64
    let checksum: String
    let disk: DiskRecord?
  }
}
