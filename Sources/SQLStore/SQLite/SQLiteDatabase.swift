package import Core
import Foundation
import GRDB

/// One SQLite file. Several processes may have it open.
///
/// Writes share transactions, and reads have connections of their own: see `GroupCommit` and `Readers`.
struct SQLiteDatabase: SQLDatabase {
  private static let maximumBatchSize = 128

  let pool: DatabasePool
  let readers: Readers
  let mark: ChangeMark
  let writer: Writer
  private let commits: GroupCommit

  init(path: String, _ opening: SQLStore.Opening) throws {
    let (pool, readers, mark) = try Self.connections(path, opening)
    let writer = try Writer(of: pool)
    self.pool = pool
    self.readers = readers
    self.mark = mark
    self.writer = writer
    commits = GroupCommit(maximumBatchSize: Self.maximumBatchSize) { commits in
      pool.asyncWriteWithoutTransaction { _ in
        while let batch = commits.nextBatch() { writer.commit(batch) }
      }
    }
  }

  private static func connections(_ path: String, _ opening: SQLStore.Opening) throws -> (
    DatabasePool, Readers, ChangeMark
  ) {
    if opening == .asItIs, access(path, F_OK) != 0 { throw DatabaseIsMissing(path: path) }
    let lock = try OpeningLock(path)
    defer { lock.release() }
    try makeFile(path, opening)
    var configuration = Configuration()
    configuration.label = "SQLStore"
    configuration.busyMode = .timeout(5)
    configuration.prepareDatabase { database in
      for function in [DatabaseFunction.lower, .clock, .silence] { database.add(function: function) }
    }
    try Schema.requireFit(path, opening, configuration)
    let pool = try DatabasePool(path: path, configuration: configuration)
    // What was answered must survive a power cut. GRDB has set this to NORMAL just now.
    try pool.writeWithoutTransaction { database in try database.execute(sql: "PRAGMA synchronous = FULL") }
    if opening == .upgrading { try Schema.migrator.migrate(pool) }
    return (pool, try Readers(path: path, configuration), try ChangeMark(path: path, configuration))
  }

  /// A read takes microseconds, so it runs on the calling thread.
  func read<Value: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Value
  ) async throws -> Value {
    do {
      return try readers.read(body)
    } catch {
      throw Availability.translated(error)
    }
  }

  func write<Value: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Value
  ) async throws -> Value {
    do {
      return try await commits.write(body)
    } catch {
      throw Availability.translated(error)
    }
  }

  var changeMark: (@Sendable () -> Int64?)? {
    let mark = mark
    return { mark.value }
  }

  /// Empty: what other processes write is found by polling.
  func changesElsewhere() -> AsyncStream<StoreChange> { AsyncStream { $0.finish() } }

  /// Makes the file with a mode that lets only its owner read it. SQLite gives the log and index beside it the same mode.
  private static func makeFile(_ path: String, _ opening: SQLStore.Opening) throws {
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

extension SQLStore {
  /// Opens the file. Only its owner can read it.
  package init(path: String, _ opening: Opening = .upgrading, tariff: Tariff = Tariff()) throws {
    do {
      self.init(database: try SQLiteDatabase(path: path, opening), tariff: tariff)
    } catch let error as DatabaseError {
      throw UnusableFile(path: path, reason: error.message ?? "SQLite error \(error.extendedResultCode)")
    }
  }
}

package struct UnusableFile: Error, CustomStringConvertible {
  package let path: String
  package let reason: String

  package var description: String { "\(path) cannot be used as a database: \(reason)." }
}
