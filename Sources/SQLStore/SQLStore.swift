package import Core

package import struct Foundation.UUID

/// The store as one SQL text, over one of the databases that understand it: see `SQLiteDatabase` and `PostgreSQLDatabase`.
///
/// What is given to `read` and `write` may be carried out again where a database was lost in the middle: it does nothing but
/// talk to its connection.
package struct SQLStore: Store {
  let database: any SQLDatabase
  /// What an hour costs beside the price of its plan.
  package let tariff: Tariff
  /// What all that is written is for; nothing is where somebody else has that by now. Nil for what anybody may write.
  private let tenure: Tenure?
  /// Whose requests are claimed; nil where there is one service.
  let replica: Replica?

  /// What to do about a database that is not there, or that an earlier version of the program wrote.
  package enum Opening: Sendable {
    /// It is made, or brought up to date: for the service, which is the only one that may.
    case upgrading
    /// It is refused: for whoever works beside a service that may run.
    case asItIs
  }

  /// Opens the database wherever it is.
  ///
  /// Throws `DatabaseIsNewer` where a newer version of the program wrote it, and where it is to stay as it is,
  /// `DatabaseIsOlder` and `DatabaseIsMissing`.
  ///
  /// - Parameter service: What kind of service opens it; nil for whoever works beside one. A server of PostgreSQL then keeps others
  ///   away that cannot be beside it. Of a file's folder the service itself knows that it is the only one.
  package static func open(
    _ location: DatabaseLocation, _ opening: Opening = .upgrading, as service: Service? = nil, tariff: Tariff = Tariff()
  ) async throws -> SQLStore {
    switch location {
    case .file(let path): try SQLStore(path: path, opening, tariff: tariff)
    case .server(let address):
      SQLStore(
        database: try await PostgreSQLDatabase.open(address, opening, as: service), tariff: tariff)
    }
  }

  /// How a service has a database.
  package enum Service: Sendable {
    case alone
    /// Beside others that are as this one.
    case besideOthers
  }

  /// The same, where all that is written is for this, and is refused once another service has it.
  package func under(_ tenure: Tenure) -> SQLStore {
    SQLStore(database: database, tariff: tariff, tenure: tenure, replica: replica)
  }

  /// The same, for one of several services.
  package func of(_ replica: Replica) -> SQLStore {
    SQLStore(database: database, tariff: tariff, tenure: tenure, replica: replica)
  }

  /// What other services commit from now on. Each call has a connection of its own, as long as anybody listens; of a file nothing
  /// is heard.
  package func changesElsewhere() -> AsyncStream<StoreChange> { database.changesElsewhere() }

  /// The name of the installation that a database of whatever version is of, which stays as it is; nil where it has none.
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

  /// Lets go of the database, with all that was written in it; of a file nothing is left beside it. The store is of no use
  /// afterwards.
  package func release() throws {
    try database.release()
  }

  /// Writes all that is committed now into a new file, which only its owner can read, and which can take the place of the
  /// database. Others go on writing meanwhile. Throws `UnusableFile` where the file exists already, and `NotAFile` for a
  /// database that is none.
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
