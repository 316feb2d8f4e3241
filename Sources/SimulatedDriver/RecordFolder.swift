import Core
import Foundation
import PrivateFiles

/// A record of the simulated host that outlives the process, and the installation that it belongs to.
protocol SimulatedRecord: Codable, Equatable, Sendable {
  var uuid: UUID { get }
  var installation: UUID { get }
}

/// A folder of the simulated host: one JSON file for each machine, or copy. Several installations can share it.
struct RecordFolder<Record: SimulatedRecord>: Sendable {
  private let folder: String
  private let installation: UUID
  private let isShared: Bool

  /// - Parameters:
  ///   - isShared: Whether several services have the folder in turn.
  ///   - makes: Whether to create the folder where it is missing.
  init(_ folder: URL, installation: UUID, isShared: Bool, makes: Bool) throws(DriverError) {
    self.folder = folder.path
    self.installation = installation
    self.isShared = isShared
    guard makes else { return }
    do {
      try FileManager.default.createDirectory(
        at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw DriverError(.rejected, "Cannot make the folder \(folder.path): \(error)")
    }
  }

  /// The records with our installation's mark; a damaged file has none. Throws where a file cannot be read.
  func load() throws(DriverError) -> [UUID: Record] {
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: folder)
    } catch {
      throw DriverError(.unreachable, "Cannot list the folder \(folder): \(error)")
    }
    var records: [UUID: Record] = [:]
    for name in names where name.hasSuffix(".json") {
      guard let uuid = UUID(uuidString: String(name.dropLast(5))), let record = try read(uuid),
        record.installation == installation
      else { continue }
      records[uuid] = record
    }
    return records
  }

  /// Nil for one that is not there, or is not ours.
  func record(of uuid: UUID) throws(DriverError) -> Record? {
    try read(uuid).flatMap { $0.installation == installation ? $0 : nil }
  }

  /// Whether there is a record with another mark than ours.
  func isForeign(_ uuid: UUID) throws(DriverError) -> Bool {
    try read(uuid).map { $0.installation != installation } ?? false
  }

  /// The driver's lock lets only one write at a time.
  func write(_ record: Record) throws(DriverError) {
    let path = path(of: record.uuid)
    do {
      // A simulated machine need not survive a crash of the computer.
      if isShared {
        // A spare would be the successor's as well, and a service that has lost the host may still be about to fill it.
        try PrivateFile.write(JSONEncoder().encode(record), to: path, isDurable: false)
      } else {
        try PrivateFile.exchange(JSONEncoder().encode(record), to: path, spare: spare)
      }
    } catch {
      throw DriverError(.exhausted, "Cannot write a record: \(error)")
    }
  }

  func remove(_ uuid: UUID) throws(DriverError) {
    // A process that was killed in a write may have left a new version, and the spare may hold an earlier one.
    for path in ["\(path(of: uuid)).new", spare, path(of: uuid)] {
      guard unlink(path) == 0 || errno == ENOENT else {
        throw DriverError(.rejected, "Cannot remove \(path): \(String(cString: strerror(errno)))")
      }
    }
  }

  /// A file for whoever wants to be the only one to change the records.
  var lockPath: String { "\(folder)/lock" }

  /// Nil for a file that is not there, or is damaged.
  private func read(_ uuid: UUID) throws(DriverError) -> Record? {
    let path = path(of: uuid)
    // A file that somebody else replaces may be the spare by the time it is read, and be written to.
    for _ in 1...3 {
      if isAbsent(path) { return nil }
      let data: Data
      do {
        data = try Data(contentsOf: URL(filePath: path))
      } catch {
        if isAbsent(path) { return nil }
        throw DriverError(.unreachable, "Cannot read \(path): \(error)")
      }
      if let record = try? JSONDecoder().decode(Record.self, from: data), record.uuid == uuid { return record }
    }
    return nil
  }

  /// Without the folder, which another service may just have renamed, nothing is known of a file.
  private func isAbsent(_ path: String) -> Bool {
    access(path, F_OK) != 0 && errno == ENOENT && access(folder, F_OK) == 0
  }

  private func path(of uuid: UUID) -> String { "\(folder)/\(uuid.text).json" }

  private var spare: String { "\(folder)/\(installation.text).spare" }
}
