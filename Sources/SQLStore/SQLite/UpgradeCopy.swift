import Foundation
import GRDB

/// A copy of a database, in a file beside it, from before a new version of the program changes the tables.
struct UpgradeCopy {
  /// The path of the database.
  let path: String
  let version: String
  /// The free space of its disk; nil to ask the system.
  var freeBytes: Int64?

  /// How many of the newest copies stay beside the first one of this version.
  private static let keptCount = 2
  private static let leastFreeBytes: Int64 = 16 << 20

  /// Writes the copy if the database is of an earlier version.
  ///
  /// - Returns: Its path; nil where nothing is to be changed.
  func write() async throws -> String? {
    guard access(path, F_OK) == 0 else { return nil }
    let lock = try OpeningLock(path)
    defer { lock.release() }
    let connection = try SQLiteDatabase.copyingConnection(path)
    defer { try? connection.close() }
    guard let bytes = try await connection.read(Self.bytesOfOlder) else { return nil }
    try requireRoom(for: bytes)
    let (partial, copy) = ("\(path).before-\(version).partial", try freeName())
    unlink(partial)
    try await connection.writeWithoutTransaction { database in
      try SQLiteDatabase.writeCopy(of: database, to: partial)
    }
    guard rename(partial, copy) == 0 else {
      throw UnusableFile(path: copy, reason: String(cString: strerror(errno)))
    }
    prune(after: copy)
    return copy
  }

  /// The database's size; nil where it is new, of this version or of a newer one.
  private static func bytesOfOlder(_ database: Database) throws -> Int64? {
    guard try !Schema.migrator.appliedMigrations(database).isEmpty,
      try !Schema.migrator.hasCompletedMigrations(database), try !Schema.migrator.hasBeenSuperseded(database)
    else { return nil }
    return try Int64.fetchOne(database, sql: "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
  }

  /// Throws unless there is room for the copy, and for an upgrade that writes all tables once more.
  private func requireRoom(for bytes: Int64) throws {
    let folder = (path as NSString).deletingLastPathComponent
    var system = statvfs()
    let free = freeBytes ?? (statvfs(folder, &system) == 0 ? Int64(system.f_bavail) * Int64(system.f_frsize) : 0)
    let needed = 2 * bytes + Self.leastFreeBytes
    guard free >= needed else {
      throw UnusableFile(
        path: path,
        reason: "an earlier version wrote it, and to copy it and bring it up to date \(folder) needs "
          + "\(needed >> 20) MiB of room and has \(max(free, 0) >> 20); it is left as it is")
    }
  }

  private func freeName() throws -> String {
    let first = "\(path).before-\(version)"
    let names = [first] + (2...1000).map { "\(first)-\($0)" }
    guard let name = names.first(where: { access($0, F_OK) != 0 }) else {
      throw UnusableFile(path: first, reason: "there are too many copies of that name")
    }
    return name
  }

  /// Deletes surplus copies: a service that dies in the middle of an upgrade again and again makes one each time. The first
  /// copy of this version and the newest ones stay, and so does what `vpsd restore-state` keeps.
  private func prune(after newest: String) {
    let folder = (path as NSString).deletingLastPathComponent
    let prefix = (path as NSString).lastPathComponent + ".before-"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let copies = names.filter { $0.hasPrefix(prefix) && Self.isVersion($0.dropFirst(prefix.count)) }
      .map { "\(folder)/\($0)" }
      .filter { $0 != newest && $0 != "\(path).before-\(version)" }
      .map { (path: $0, date: (try? FileManager.default.attributesOfItem(atPath: $0))?[.modificationDate] as? Date) }
      .sorted { ($0.date ?? .distantPast, $0.path) > ($1.date ?? .distantPast, $1.path) }
    for copy in copies.dropFirst(Self.keptCount - 1) { unlink(copy.path) }
  }

  /// `0.1.0`, or `0.1.0-2`.
  private static func isVersion(_ text: Substring) -> Bool {
    text.contains(".") && text.utf8.allSatisfy { (48...57).contains($0) || $0 == 46 || $0 == 45 }
  }
}

extension SQLStore {
  /// Copies a database of an earlier version, before the service opens it and so changes its tables.
  ///
  /// - Returns: The path of the copy; nil where there is nothing to keep.
  package static func keepBeforeUpgrade(_ path: String, to version: String) async throws -> String? {
    do {
      return try await UpgradeCopy(path: path, version: version).write()
    } catch let error as DatabaseError {
      throw UnusableFile(path: path, reason: error.message ?? "SQLite error \(error.extendedResultCode)")
    }
  }
}
