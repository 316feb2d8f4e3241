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
  /// - Parameter serves: Whether it is opened by the service, of which there is one: a server of PostgreSQL then keeps all others
  ///   from being that. Of a file's folder the service itself knows that it is the only one.
  package static func open(
    _ location: DatabaseLocation, _ opening: Opening = .upgrading, serves: Bool = false, tariff: Tariff = Tariff()
  ) async throws -> SQLStore {
    switch location {
    case .file(let path): try SQLStore(path: path, opening, tariff: tariff)
    case .server(let address):
      SQLStore(
        database: try await PostgreSQLDatabase.open(address, opening, serves: serves), tariff: tariff)
    }
  }

  /// The name of the installation that a database of whatever version is of, which stays as it is; nil where it has none.
  package static func installationID(at location: DatabaseLocation) async throws -> UUID? {
    switch location {
    case .file(let path): try installationID(at: path)
    case .server(let address): try await PostgreSQLDatabase.installationID(at: address)
    }
  }

  init(database: any SQLDatabase, tariff: Tariff) {
    self.database = database
    self.tariff = tariff
  }

  func read<Value: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Value
  ) async throws -> Value {
    try await database.read(body)
  }

  func write<Value: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Value
  ) async throws -> Value {
    try await database.write(body)
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
