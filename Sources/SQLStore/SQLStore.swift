import Core
import Foundation
import GRDB

/// The store in one SQLite file. Several processes may have it open.
///
/// Writes share transactions, and reads have connections of their own: see `GroupCommit` and `Readers`.
package struct SQLStore: Store {
  let pool: DatabasePool
  let readers: Readers
  private let commits: GroupCommit

  /// Opens the file, makes it where there is none, and brings its schema up to date. Only its owner can read it.
  ///
  /// Throws `DatabaseIsNewer` where a newer version of the program wrote it.
  package init(path: String) throws {
    let opening = try OpeningLock(path)
    defer { opening.release() }
    try Self.makeFile(path)
    var configuration = Configuration()
    configuration.label = "SQLStore"
    configuration.busyMode = .timeout(5)
    configuration.prepareDatabase { database in database.add(function: .lower) }
    try Schema.refuseNewer(path, configuration)
    pool = try DatabasePool(path: path, configuration: configuration)
    // What was answered must survive a power cut. GRDB has set this to NORMAL just now.
    try pool.writeWithoutTransaction { database in try database.execute(sql: "PRAGMA synchronous = FULL") }
    try Schema.migrator.migrate(pool)
    commits = GroupCommit(pool)
    readers = try Readers(path: path, configuration)
  }

  func read<Value>(_ body: (Database) throws -> Value) async throws -> Value {
    do {
      return try readers.read(body)
    } catch {
      throw Availability.translated(error)
    }
  }

  func write<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
    do {
      return try await commits.write(body)
    } catch {
      throw Availability.translated(error)
    }
  }

  /// SQLite gives the files beside the database, its log and its index, the mode of the database.
  private static func makeFile(_ path: String) throws {
    let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    if file >= 0 {
      close(file)
      return
    }
    // One that exists is not opened here: closing it again would drop the locks that this process holds on it.
    guard errno == EEXIST, chmod(path, 0o600) == 0 else {
      throw UnusableFile(path: path, reason: String(cString: strerror(errno)))
    }
  }
}

package struct UnusableFile: Error, CustomStringConvertible {
  package let path: String
  package let reason: String

  package var description: String { "cannot use the database \(path): \(reason)" }
}
