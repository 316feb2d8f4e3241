package import Core
import Foundation
import GRDB

/// The store in one SQLite file. Several processes may have it open.
///
/// Writes share transactions, and reads have connections of their own: see `GroupCommit` and `Readers`.
package struct SQLStore: Store {
  let pool: DatabasePool
  let readers: Readers
  /// What an hour costs beside the price of its plan.
  package let tariff: Tariff
  private let commits: GroupCommit

  /// What to do about a file that is not there, or that an earlier version of the program wrote.
  package enum Opening: Sendable {
    /// It is made, or brought up to date: for the service, which is the only one that may.
    case upgrading
    /// It is refused: for whoever works beside a service that may run.
    case asItIs
  }

  /// Opens the file. Only its owner can read it.
  ///
  /// Throws `DatabaseIsNewer` where a newer version of the program wrote it, and where it is to stay as it is,
  /// `DatabaseIsOlder` and `DatabaseIsMissing`.
  package init(path: String, _ opening: Opening = .upgrading, tariff: Tariff = Tariff()) throws {
    self.tariff = tariff
    do {
      (pool, readers) = try Self.connections(path, opening)
      commits = GroupCommit(pool)
    } catch let error as DatabaseError {
      throw UnusableFile(path: path, reason: error.message ?? "SQLite error \(error.extendedResultCode)")
    }
  }

  private static func connections(_ path: String, _ opening: Opening) throws -> (DatabasePool, Readers) {
    if opening == .asItIs, access(path, F_OK) != 0 { throw DatabaseIsMissing(path: path) }
    let lock = try OpeningLock(path)
    defer { lock.release() }
    try makeFile(path, opening)
    var configuration = Configuration()
    configuration.label = "SQLStore"
    configuration.busyMode = .timeout(5)
    configuration.prepareDatabase { database in database.add(function: .lower) }
    try Schema.requireFit(path, opening, configuration)
    let pool = try DatabasePool(path: path, configuration: configuration)
    // What was answered must survive a power cut. GRDB has set this to NORMAL just now.
    try pool.writeWithoutTransaction { database in try database.execute(sql: "PRAGMA synchronous = FULL") }
    if opening == .upgrading { try Schema.migrator.migrate(pool) }
    return (pool, try Readers(path: path, configuration))
  }

  func read<Value>(_ body: (any SQLConnection) throws -> Value) async throws -> Value {
    do {
      return try readers.read(body)
    } catch {
      throw Availability.translated(error)
    }
  }

  func write<Value: Sendable>(_ body: @escaping @Sendable (any SQLConnection) throws -> Value) async throws -> Value {
    do {
      return try await commits.write(body)
    } catch {
      throw Availability.translated(error)
    }
  }

  /// SQLite gives the files beside the database, its log and its index, the mode of the database.
  private static func makeFile(_ path: String, _ opening: Opening) throws {
    if opening == .upgrading {
      let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
      if file >= 0 {
        close(file)
        return
      }
    }
    // One that exists is not opened here: closing it again would drop the locks that this process holds on it.
    guard opening == .asItIs || errno == EEXIST, chmod(path, 0o600) == 0 else {
      throw UnusableFile(path: path, reason: String(cString: strerror(errno)))
    }
  }
}

package struct UnusableFile: Error, CustomStringConvertible {
  package let path: String
  package let reason: String

  package var description: String { "\(path) cannot be used as a database: \(reason)." }
}
