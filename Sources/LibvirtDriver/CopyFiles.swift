import Core
import Foundation
import PrivateFiles

/// Where the copies of one server's disk are. A copy is whole once it has its name, which it gets last, after its record.
struct CopyFiles: Equatable {
  let folder: String
  private let root: String

  /// The installation is part of the path, because several may share a folder for copies, and each removes what belongs to
  /// no server of its own.
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

  /// Lets the one through who will write a copy.
  func makeFolder(for owner: FileOwner) throws {
    try MachineFiles.makeDirectory(root)
    try MachineFiles.makeDirectory(folder)
    try PrivateFile.sync(root)
    for folder in [(root as NSString).deletingLastPathComponent, root, folder] { try owner.letThrough(folder) }
  }

  func path(of copy: UUID) -> String { "\(folder)/\(copy.text).qcow2" }
  private func recordPath(of copy: UUID) -> String { "\(folder)/\(copy.text).json" }

  /// Another one for each attempt: whatever still writes to an earlier one does no harm.
  func newPartial(of copy: UUID, for owner: FileOwner) throws -> String {
    let path = "\(folder)/\(copy.text).\(UUID().text).partial"
    try PrivateFile.write([], to: path)
    try owner.take(path)
    return path
  }

  /// What is written down of a whole copy; nil where there is none, or half of one.
  func copiedDisk(_ copy: UUID) throws -> CopiedDisk? {
    record(of: copy).map { CopiedDisk(sizeBytes: $0.sizeBytes, checksum: $0.checksum) }
  }

  /// How what was copied is run; nil for a copy that is older than these.
  /// Throws where the copy's own record is missing or damaged: a guess would run it as another machine.
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

  /// Makes a whole copy of a partial one. The data must be on the disk by now.
  func complete(_ partial: String, as copy: UUID, _ disk: CopiedDisk, runAs: DiskRecord?) throws {
    let record = Record(sizeBytes: disk.sizeBytes, checksum: disk.checksum, disk: runAs)
    try PrivateFile.write(Array(try JSONEncoder().encode(record)), to: recordPath(of: copy))
    guard rename(partial, path(of: copy)) == 0 else { throw HostError.last("rename \(partial)") }
    try MachineFiles.syncDirectory(of: partial)
  }

  /// Those of which there is anything.
  func copies() throws -> Set<UUID> {
    guard MachineFiles.exists(folder) else { return [] }
    return Set(try MachineFiles.names(in: folder).compactMap { UUID(uuidString: String($0.prefix(36))) })
  }

  /// Removes a copy and every half of it.
  func remove(_ copy: UUID) throws {
    guard MachineFiles.exists(folder) else { return }
    // First the name that says that it is whole.
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
