import Core
import Synchronization

import struct Foundation.UUID

/// A database on a server of PostgreSQL, by libpq.
///
/// Reads have a few connections of their own. Writes go by one, several in a transaction (`GroupCommit`), and hold a lock of the
/// database from its begin to its end: no two transactions that write overlap, whichever process they are of.
struct PostgreSQLDatabase: SQLDatabase {
  private static let readerCount = 4
  /// Beyond 64 in a transaction, others take long to see what is in it.
  private static let maximumBatchSize = 32

  private let readers: ConnectionThreads
  private let writer: ConnectionThreads
  private let commits: GroupCommit
  private let address: PostgreSQLAddress
  private let writerProcess: WriterProcess

  /// - Parameter service: Who serves the database as long as this one has it open; nil for a command.
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
    } catch {
      throw PostgreSQLError.translated(error)
    }
  }

  func changesElsewhere() -> AsyncStream<StoreChange> {
    PostgreSQLListener(address) { [writerProcess] process in writerProcess.isOurs(process) }.changes()
  }

  func backUp(to path: String) async throws { throw NotAFile() }

  func release() throws {
    readers.close()
    writer.close()
  }
}

/// The server's process for the connection that writes.
private final class WriterProcess: Sendable {
  private let number = Mutex<CInt>(0)

  func note(_ number: CInt) { self.number.withLock { $0 = number } }
  func isOurs(_ number: CInt) -> Bool { self.number.withLock { $0 == number } }
}

/// Locks that the database gives to one connection at a time, and takes back when that is gone.
enum AdvisoryLock: Int32 {
  /// Of whoever serves the database: shared by those who serve it beside each other.
  case service = 1
  /// Of a transaction that writes.
  case write = 2
  /// Of whoever brings the tables up to date.
  case schema = 3

  /// "vpsd": others may have locks of their own in the same database.
  private static let family = 0x7670_7364

  /// As the arguments of PostgreSQL's functions.
  var arguments: String { "\(Self.family), \(rawValue)" }

  /// For as long as the connection lasts. One that has just ended may have it for a moment.
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
  /// What the body reads is of one moment.
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
