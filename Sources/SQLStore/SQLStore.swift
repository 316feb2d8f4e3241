package import Core

package import struct Foundation.UUID

/// The store as one SQL text, which runs on either database: see `SQLiteDatabase` and `PostgreSQLDatabase`.
///
/// The bodies of `read` and `write` may be repeated after a lost connection, so they must do nothing but use their connection.
package struct SQLStore: Store {
  let database: any SQLDatabase
  /// What an hour costs beside the price of the plan.
  package let tariff: Tariff
  /// The tenure that all writes are for: they are refused once another service has the duty. Nil for no such condition.
  private let tenure: Tenure?
  /// The service that claims requests; nil where there is only one.
  let replica: Replica?

  /// What to do about a database that is not there, or that an earlier version of the program wrote.
  package enum Opening: Sendable {
    /// It is made, or brought up to date. Only the service may do that.
    case upgrading
    /// It is refused: for commands, which may run beside a service.
    case asItIs
  }

  /// Opens the database, a file or one on a server.
  ///
  /// Throws `DatabaseIsNewer` where a newer version of the program wrote it, and with `asItIs` also `DatabaseIsOlder` and
  /// `DatabaseIsMissing`. A service is refused a database that was moved to a file, with `DatabaseWasMoved`.
  ///
  /// - Parameter service: How a service serves the database; nil for a command. PostgreSQL then refuses other services that
  ///   cannot be beside it. For a file, the service itself makes sure that it is the only one.
  package static func open(
    _ location: DatabaseLocation, _ opening: Opening = .upgrading, as service: Service? = nil, tariff: Tariff = Tariff()
  ) async throws -> SQLStore {
    switch location {
    case .file(let path): return try SQLStore(path: path, opening, tariff: tariff)
    case .server(let address):
      let store = SQLStore(
        database: try await PostgreSQLDatabase.open(address, opening, as: service), tariff: tariff)
      do {
        if service != nil { try await store.requireUnmoved(address) }
      } catch {
        try? store.release()
        throw error
      }
      return store
    }
  }

  /// How a service serves a database.
  package enum Service: Sendable {
    case alone
    /// Together with other services that share it.
    case besideOthers
  }

  /// The same store, whose writes are for this tenure and are refused once another service has the duty.
  package func under(_ tenure: Tenure) -> SQLStore {
    SQLStore(database: database, tariff: tariff, tenure: tenure, replica: replica)
  }

  /// The same store, for one of several services.
  package func of(_ replica: Replica) -> SQLStore {
    SQLStore(database: database, tariff: tariff, tenure: tenure, replica: replica)
  }

  /// The changes that other services commit from now on. Each call has a connection of its own until its stream ends. For a
  /// file the stream is empty.
  package func changesElsewhere() -> AsyncStream<StoreChange> { database.changesElsewhere() }

  /// Tells a number that is another one after every commit, by whichever process, and nil where it cannot be told at once. It
  /// runs on the calling thread, and takes microseconds. Nil where asking the database costs more.
  package var changeMark: (@Sendable () -> Int64?)? { database.changeMark }

  /// The id of the installation that a database of any version belongs to; nil where it has none. The database stays as it is.
  package static func installationID(at location: DatabaseLocation) async throws -> UUID? {
    switch location {
    case .file(let path): try installationID(at: path)
    case .server(let address): try await PostgreSQLDatabase.installationID(at: address)
    }
  }

  init(database: any SQLDatabase, tariff: Tariff, tenure: Tenure? = nil, replica: Replica? = nil) {
    self.database = database
    self.tariff = tariff
    self.tenure = tenure
    self.replica = replica
  }

  func read<Value: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Value
  ) async throws -> Value {
    try await database.read(body)
  }

  func write<Value: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Value
  ) async throws -> Value {
    guard let tenure else { return try await database.write(body) }
    return try await database.write { connection in
      try connection.require(tenure)
      return try body(connection)
    }
  }

  /// Closes the database. All that was written is then in it, and a file has no other files beside it. The store cannot be used
  /// afterwards.
  package func release() throws {
    try database.release()
  }

  /// Writes a snapshot of the database to a new file, which only its owner can read, and which can take the place of the
  /// database. Others go on writing meanwhile. Throws `UnusableFile` where the file exists already, and `NotAFile` for a
  /// database on a server.
  package func backUp(to path: String) async throws {
    try await database.backUp(to: path)
  }
}

/// Where a database is.
package enum DatabaseLocation: Sendable {
  /// SQLite's.
  case file(String)
  /// PostgreSQL's.
  case server(PostgreSQLAddress)
}

package struct NotAFile: Error, CustomStringConvertible {
  package var description: String {
    "The database is a server of PostgreSQL, and is copied and restored with its own programs: pg_dump and pg_restore."
  }
}
