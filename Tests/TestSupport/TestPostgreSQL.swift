import CGNU
import CPostgreSQL
package import Foundation
package import SQLStore

/// A PostgreSQL server for this process alone, from Debian's package. It starts when the first test needs it, and ends with the
/// process, however that ends.
package enum TestPostgreSQL {
  private static let server = Task { try await Server() }

  /// A database with all tables and no rows, which is dropped with this object.
  package final class Database: Sendable {
    package let name: String
    /// Without a password, because none is needed.
    package let url: String
    private let server: Server

    package var address: PostgreSQLAddress { PostgreSQLAddress(url)! }

    /// - Parameter template: The database to copy, to which nobody may be connected; nil for the empty one with all tables.
    package init(copying template: Database? = nil) async throws {
      let server = try await TestPostgreSQL.server.value
      self.server = server
      name = "test_\(UUID().uuidString.lowercased().replacing("-", with: "_"))"
      url = server.url(of: name)
      try server.administration().execute("CREATE DATABASE \(name) TEMPLATE \(template?.name ?? Server.template)")
    }

    /// A database without any tables.
    package init(empty: Void) async throws {
      let server = try await TestPostgreSQL.server.value
      self.server = server
      name = "empty_\(UUID().uuidString.lowercased().replacing("-", with: "_"))"
      url = server.url(of: name)
      try server.administration().execute("CREATE DATABASE \(name)")
    }

    /// Every row of every table.
    package func content() throws -> Data {
      let database = try RawPostgreSQL(url)
      let tables = try database.rows(
        """
        SELECT string_agg(format('SELECT %L, CAST(t AS TEXT) FROM %I AS t', relname, relname), ' UNION ALL ')
        FROM pg_class WHERE relkind = 'r' AND relnamespace = CAST('public' AS regnamespace)
        """)
      // Makes text in bytes readable, so that it can be found.
      let rows = try database.rows("SET bytea_output = 'escape'; \(tables[0][0] ?? "") ORDER BY 1, 2")
      return Data(rows.map { row in row.map { $0 ?? "" }.joined(separator: " ") }.joined(separator: "\n").utf8)
    }

    /// Executes SQL that concerns the whole server.
    package func administer(_ sql: String) throws { try server.administration().execute(sql) }

    deinit {
      try? server.administration().execute("DROP DATABASE \(name) WITH (FORCE)")
    }
  }

  private final class Server: Sendable {
    static let template = "all_tables"

    private let folder: ScopedFolder
    private let supervisor: Process
    /// The server ends when the last process with the other end of this pipe has closed it.
    private let leash: FileHandle

    init() async throws {
      folder = try ScopedFolder(.memory)
      let programs = try Self.programs()
      var ends: [CInt] = [0, 0]
      guard pipe2(&ends, O_CLOEXEC) == 0 else { throw CannotStart(reason: String(cString: strerror(errno))) }
      leash = FileHandle(fileDescriptor: ends[1], closeOnDealloc: true)
      supervisor = Process()
      supervisor.executableURL = URL(fileURLWithPath: "/bin/sh")
      supervisor.arguments = ["-c", Self.script, "postgresql", folder.url.path, programs] + Self.unprivileged
      supervisor.standardInput = FileHandle(fileDescriptor: ends[0], closeOnDealloc: true)
      try supervisor.run()
      try awaitReady()
      try administration().execute("CREATE DATABASE \(Self.template)")
      try await SQLStore.open(.server(PostgreSQLAddress(url(of: Self.template))!)).release()
    }

    /// PostgreSQL refuses to run as root.
    private static var unprivileged: [String] {
      geteuid() == 0 ? ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] : []
    }

    /// Syncing is off: no test that ends by itself depends on durability.
    private static let script = """
      set -eu
      trap '' INT TERM HUP
      folder=$1 programs=$2
      shift 2
      mkdir -m 700 "$folder/server"
      [ $# = 0 ] || chown nobody "$folder/server"
      cd "$folder/server"
      "$@" "$programs/initdb" -D data -U vpsd -A trust -E UTF8 --locale=C --no-sync >initdb.log 2>&1 </dev/null
      "$@" "$programs/postgres" -D data -k "$folder/server" -c listen_addresses= -c fsync=off -c synchronous_commit=off \\
        -c full_page_writes=off -c max_connections=500 -c shared_buffers=64MB -c autovacuum=off -c max_wal_size=4GB \\
        >log 2>&1 </dev/null &
      server=$!
      cat >/dev/null
      kill -QUIT $server
      wait $server || true
      rm -rf "$folder"
      """

    private static func programs() throws -> String {
      let parent = "/usr/lib/postgresql"
      let versions = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
      guard let version = versions.compactMap({ Int($0) }).max() else {
        throw CannotStart(reason: "there is no PostgreSQL (scripts/setup tests)")
      }
      return "\(parent)/\(version)/bin"
    }

    private func awaitReady() throws {
      let deadline = ContinuousClock.now + .seconds(120)
      while true {
        do {
          return try administration().execute("SELECT 1")
        } catch {
          guard supervisor.isRunning, ContinuousClock.now < deadline else { throw error }
          poll(nil, 0, 50)
        }
      }
    }

    func administration() throws -> RawPostgreSQL { try RawPostgreSQL(url(of: "postgres")) }

    func url(of database: String) -> String {
      "postgresql://vpsd@/\(database)?host=\(folder.url.appendingPathComponent("server").path)"
    }
  }

  struct CannotStart: Error, CustomStringConvertible {
    let reason: String

    var description: String { "PostgreSQL cannot be started for the tests: \(reason)" }
  }
}

/// Direct access to a PostgreSQL database, without the store.
package final class RawPostgreSQL {
  private let connection: OpaquePointer

  package init(_ url: String) throws {
    guard let connection = PQconnectdb(url) else { throw Complaint(state: "", text: "no memory") }
    self.connection = connection
    PQsetNoticeProcessor(connection, { _, _ in }, nil)
    guard PQstatus(connection) == CONNECTION_OK else {
      throw Complaint(state: "", text: String(cString: PQerrorMessage(connection)))
    }
  }

  deinit { PQfinish(connection) }

  package func execute(_ sql: String) throws { _ = try rows(sql) }

  package func rows(_ sql: String) throws -> [[String?]] {
    let result = PQexec(connection, sql)
    defer { PQclear(result) }
    guard [PGRES_TUPLES_OK, PGRES_COMMAND_OK].contains(PQresultStatus(result)) else {
      let state = PQresultErrorField(result, CInt(UInt8(ascii: "C"))).map { String(cString: $0) } ?? ""
      throw Complaint(state: state, text: String(cString: PQresultErrorMessage(result)))
    }
    return (0..<PQntuples(result)).map { row in
      (0..<PQnfields(result)).map { column in
        PQgetisnull(result, row, column) == 1 ? nil : String(cString: PQgetvalue(result, row, column))
      }
    }
  }

  package struct Complaint: Error {
    package let state: String
    package let text: String
  }
}
