import Core
import Synchronization

import struct Foundation.UUID

/// A database on a PostgreSQL server, accessed with libpq.
///
/// Reads have a few connections of their own. Writes share one, several in a transaction (`GroupCommit`), and hold an advisory
/// lock from its begin to its end. So no two writing transactions overlap, in whichever process.
struct PostgreSQLDatabase: SQLDatabase {
  private static let readerCount = 4
  /// With more than 64 savepoints in a transaction, PostgreSQL takes long to tell which of its rows others see.
  private static let maximumBatchSize = 32

  private let readers: ConnectionThreads
  private let writer: ConnectionThreads
  private let commits: GroupCommit
  private let address: PostgreSQLAddress
  private let writerProcess: WriterProcess

  /// - Parameter service: How this process serves the database while it has it open; nil for a command.
  static func open(
    _ address: PostgreSQLAddress, _ opening: SQLStore.Opening, as service: SQLStore.Service?
  ) async throws -> PostgreSQLDatabase {
    let database = PostgreSQLDatabase(address, service)
    do {
      try await database.writer.run { session in
        try PostgreSQLSchema.prepare(try session.connected(), opening, address)
      }
    } catch let error as PostgreSQLError {
      throw UnusableDatabase(address, error)
    }
    return database
  }

  static func installationID(at address: PostgreSQLAddress) async throws -> UUID? {
    let thread = ConnectionThreads(name: "database", width: 1) { try PostgreSQLConnection(address) }
    defer { thread.close() }
    do {
      return try await thread.run { session in
        let connection = try session.connected()
        guard try connection.value(Bool.self, "SELECT to_regclass('setting') IS NOT NULL") == true else { return nil }
        return try connection.value(UUID.self, "SELECT value FROM setting WHERE key = 'installation_id'")
      }
    } catch let error as PostgreSQLError {
      throw UnusableDatabase(address, error)
    }
  }

  private init(_ address: PostgreSQLAddress, _ service: SQLStore.Service?) {
    self.address = address
    let writerProcess = WriterProcess()
    self.writerProcess = writerProcess
    readers = ConnectionThreads(name: "database readers", width: Self.readerCount) {
      try PostgreSQLConnection(address)
    }
    let writer = ConnectionThreads(name: "database writer", width: 1) {
      let connection = try PostgreSQLConnection(address)
      if let service { try AdvisoryLock.service.take(on: connection, isShared: service == .besideOthers, address) }
      writerProcess.note(connection.process)
      return connection
    }
    self.writer = writer
    commits = GroupCommit(maximumBatchSize: Self.maximumBatchSize) { commits in
      writer.add { session in
        let writer = PostgreSQLWriter(address: address, session: session)
        while let batch = commits.nextBatch() { writer.carryOut(batch) }
      } fail: { error in
        while let batch = commits.nextBatch() { for write in batch { write.fail(error) } }
      }
    }
  }

  func read<Value: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Value
  ) async throws -> Value {
    do {
      return try await readers.run { session in
        try session.repeating { connection in
          try connection.reading { try body(connection) }
        }
      }
    } catch {
      throw PostgreSQLError.translated(error)
    }
  }

  func write<Value: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Value
  ) async throws -> Value {
    do {
      return try await commits.write(body)
    } catch let error as DatabaseIsServed {
      // The server may not have noticed yet that this service's former connection, which has the lock until then, is gone.
      throw StoreUnavailable("\(error)")
    } catch {
      throw PostgreSQLError.translated(error)
    }
  }

  /// Asking the server would cost as much as reading the rows.
  var changeMark: (@Sendable () -> Int64?)? { nil }

  func changesElsewhere() -> AsyncStream<StoreChange> {
    PostgreSQLListener(address) { [writerProcess] process in writerProcess.isOurs(process) }.changes()
  }

  func backUp(to path: String) async throws { throw NotAFile() }

  func release() throws {
    readers.close()
    writer.close()
  }
}

/// The id of the server's process for the connection that writes.
private final class WriterProcess: Sendable {
  private let number = Mutex<CInt>(0)

  func note(_ number: CInt) { self.number.withLock { $0 = number } }
  func isOurs(_ number: CInt) -> Bool { self.number.withLock { $0 == number } }
}

/// Advisory locks, which the server releases when their connection is gone.
enum AdvisoryLock: Int32 {
  /// Held by the service that serves the database; shared by services that do so together.
  case service = 1
  /// Held by a transaction that writes.
  case write = 2
  /// Held while the tables are brought up to date.
  case schema = 3

  /// "vpsd" in ASCII: other programs may have locks of their own in the same database.
  private static let family = 0x7670_7364

  /// The arguments of PostgreSQL's lock functions.
  var arguments: String { "\(Self.family), \(rawValue)" }

  /// Takes the lock for as long as the connection lasts. Tries for some seconds, because a connection that has just ended may
  /// still have it.
  func take(on connection: PostgreSQLConnection, isShared: Bool, _ address: PostgreSQLAddress) throws {
    let function = isShared ? "pg_try_advisory_lock_shared" : "pg_try_advisory_lock"
    let deadline = ContinuousClock.now + .seconds(5)
    while true {
      let isOurs = try connection.value(Bool.self, "SELECT \(function)(\(arguments))") ?? false
      if isOurs { return }
      guard ContinuousClock.now < deadline else { throw DatabaseIsServed(path: address.description) }
      try connection.execute("SELECT pg_sleep(0.1)")
    }
  }
}

extension PostgreSQLConnection {
  /// Runs the body in a read-only transaction with one snapshot.
  fileprivate func reading<Value>(_ body: () throws -> Value) throws -> Value {
    try execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    do {
      let value = try body()
      try execute("COMMIT")
      return value
    } catch {
      if isInsideTransaction { try execute("ROLLBACK") }
      throw error
    }
  }
}

package struct DatabaseIsServed: Error, CustomStringConvertible {
  package let path: String

  package var description: String {
    "Another vpsd serves the database \(path): only one may, or several that all share their hosts (docs/scale.md)."
  }
}

package struct UnusableDatabase: Error, CustomStringConvertible {
  package let description: String

  init(_ address: PostgreSQLAddress, _ reason: String) {
    description = "The database \(address) cannot be used: \(reason)."
  }

  init(_ address: PostgreSQLAddress, _ error: PostgreSQLError) {
    let text = error.text.hasSuffix(" ") ? String(error.text.dropLast()) : error.text
    self.init(address, error.state.isEmpty ? text : "\(text) (\(error.state))")
  }
}
