import Core
import Foundation
import GRDB
import Synchronization
import TestSupport
import Testing

@testable import SQLStore

/// What holds for a server of PostgreSQL, whichever database the other suites are on.
@Suite struct PostgreSQLTests {
  private static func withDatabase(
    _ body: (SQLStore, TestPostgreSQL.Database) async throws -> Void
  ) async throws {
    let database = try await TestPostgreSQL.Database()
    try await body(try await SQLStore.open(.server(database.address)), database)
  }

  private static func write(_ key: String, _ store: SQLStore) async throws {
    _ = try await store.write { try $0.run("INSERT INTO setting (key, value) VALUES (?, '')", [key]) }
  }

  private static func count(_ database: TestPostgreSQL.Database) throws -> String? {
    try RawPostgreSQL(database.url).rows("SELECT COUNT(*) FROM setting WHERE key LIKE 'test%'")[0][0]
  }

  /// Ends all connections to the database but the one that says it.
  private static let cut = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
    """

  @Test(
    "Both databases have the same tables, with the same columns that may or may not be missing, and the same indices")
  func schema() async throws {
    let folder = try ScopedFolder(.memory)
    let file = try await TestDatabase(in: folder.url, .sqlite)
    let database = try await TestPostgreSQL.Database()
    let server = RawDatabase(.server(database.address))
    let columns = try await RawDatabase(path: file.path).text(
      """
      SELECT sqlite_master.name || '.' || info.name || ' ' || info.type || CASE WHEN info."notnull" + info.pk > 0 THEN ' NOT NULL' ELSE '' END
      FROM sqlite_master JOIN pragma_table_info(sqlite_master.name) AS info
      WHERE sqlite_master.type = 'table' AND sqlite_master.name NOT LIKE 'sqlite%' AND sqlite_master.name <> 'grdb_migrations'
      """)
    let others = try await server.text(
      """
      SELECT table_name || '.' || column_name || ' '
        || CASE data_type WHEN 'bigint' THEN 'INTEGER' WHEN 'text' THEN 'TEXT' WHEN 'bytea' THEN 'BLOB' ELSE data_type END
        || CASE is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE '' END
      FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'schema_migration'
      """)
    #expect(Set(columns).symmetricDifference(others) == [])
    #expect(columns.count > 200)
    let indices = try await RawDatabase(path: file.path).text(
      "SELECT name FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql IS NOT NULL")
    let otherIndices = try await server.text(
      """
      SELECT indexname FROM pg_indexes WHERE schemaname = 'public' AND indexname !~ '_(pkey|key)$'
      UNION SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgname NOT LIKE '%id_is_taken'
      """)
    #expect(Set(indices).symmetricDifference(otherIndices) == [])
    let last = try #require(Schema.migrator.migrations.last)
    #expect(last.hasPrefix("\(PostgreSQLSchema.migrations.last?.number ?? 0) "))
    #expect(
      try await server.text(
        "SELECT column_name FROM information_schema.columns WHERE data_type = 'text' "
          + "AND table_schema = 'public' AND collation_name IS DISTINCT FROM 'C'") == [])
  }

  @Test("What a URL says in secret is in no description, and what is no URL is not one")
  func secrets() throws {
    let address = try #require(
      PostgreSQLAddress("postgresql://ann:pa%20ss@db.example.com:6432/vpsd?sslmode=verify-full&sslpassword=hidden"))
    #expect(address.description == "postgresql://ann@db.example.com:6432/vpsd?sslmode=verify-full")
    var dumped = ""
    dump(address, to: &dumped)
    for text in ["\(address)", String(reflecting: address), dumped, "\(UnusableDatabase(address, "no"))"] {
      #expect(!text.contains("pa%20ss") && !text.contains("pa ss") && !text.contains("hidden"), "\(text)")
    }
    let socket = try #require(PostgreSQLAddress("postgresql://vpsd@/vpsd?host=/run/postgresql"))
    #expect(socket.description == "postgresql://vpsd@/vpsd?host=%2Frun%2Fpostgresql")
    #expect(PostgreSQLAddress(socket.description)?.description == socket.description)
    for text in [
      "", "sqlite", "mysql://a/b", "postgresql://a/b?colour=red", "postgresql://a/%zz", "postgresql://a/b\n",
    ] {
      #expect(PostgreSQLAddress(text) == nil, "\(text)")
    }
  }

  @Test("A database is served by one at a time, beside commands")
  func oneService() async throws {
    let database = try await TestPostgreSQL.Database()
    let service = try await SQLStore.open(.server(database.address), as: .alone)
    await #expect(throws: DatabaseIsServed.self) { try await SQLStore.open(.server(database.address), as: .alone) }
    _ = try await SQLStore.open(.server(database.address), .asItIs).installationID()
    try service.release()
    try await SQLStore.open(.server(database.address), as: .alone).release()
  }

  @Test("Only a service makes tables, and what a newer one has made stays as it is")
  func openings() async throws {
    let empty = try await TestPostgreSQL.Database(empty: ())
    await #expect(throws: DatabaseIsMissing.self) { try await SQLStore.open(.server(empty.address), .asItIs) }
    #expect(try await SQLStore.installationID(at: .server(empty.address)) == nil)
    // Several that come at once agree.
    let ids = try await withThrowingTaskGroup(of: UUID.self) { group in
      for _ in 0..<3 { group.addTask { try await SQLStore.open(.server(empty.address)).installationID() } }
      return try await group.reduce(into: Set()) { ids, id in ids.insert(id) }
    }
    #expect(ids.count == 1)
    #expect(try await SQLStore.installationID(at: .server(empty.address)) == ids.first)
    try RawPostgreSQL(empty.url).execute("DELETE FROM schema_migration WHERE number > 24")
    await #expect(throws: DatabaseIsOlder.self) { try await SQLStore.open(.server(empty.address), .asItIs) }
    try RawPostgreSQL(empty.url).execute("INSERT INTO schema_migration (number) VALUES (1000)")
    await #expect(throws: DatabaseIsNewer.self) { try await SQLStore.open(.server(empty.address)) }
    let nowhere = try #require(PostgreSQLAddress("postgresql://vpsd:secret@127.0.0.1:1/vpsd"))
    let error = await #expect(throws: UnusableDatabase.self) { try await SQLStore.open(.server(nowhere)) }
    #expect(error.map { "\($0)".contains("127.0.0.1:1/vpsd") && !"\($0)".contains("secret") } == true)
  }

  @Test("Connections that end are made anew: nobody is told, and nothing is done twice")
  func lostConnections() async throws {
    try await Self.withDatabase { store, database in
      try await Self.write("test 0", store)
      _ = try await store.installationID()
      try RawPostgreSQL(database.url).execute(Self.cut)
      #expect(try await store.isBootstrapped() == false)
      try await Self.write("test 1", store)
      let tries = Mutex(0)
      let url = database.url
      try await store.write { connection in
        try connection.run("INSERT INTO setting (key, value) VALUES ('test 2', '')")
        // In the middle of the first try.
        if tries.withLock({
          $0 += 1; return $0
        }) == 1 {
          try RawPostgreSQL(url).execute(Self.cut)
        }
        try connection.run("INSERT INTO setting (key, value) VALUES ('test 3', '')")
      }
      #expect(tries.withLock { $0 } == 2)
      #expect(try Self.count(database) == "4")
    }
  }

  @Test(
    "While the server still counts a lost connection as the service, its writes may be tried again, and then succeed")
  func heldLock() async throws {
    let database = try await TestPostgreSQL.Database()
    defer { withExtendedLifetime(database) {} }
    let store = try await SQLStore.open(.server(database.address), as: .alone)
    let installation = NewInstallation(
      catalogue: .initial, email: "first@example.com", openingCredit: .zero, tokenName: "initial",
      tokenHash: TokenHash(hexadecimal: "hash"))
    _ = try await store.bootstrap(installation, at: Fixture.now)
    let caller = Caller(try #require(try await store.token(hash: installation.tokenHash)))
    func claim() async throws -> (request: IdempotentRequest, state: RequestState) {
      let request = IdempotentRequest(
        accountID: caller.accountID, principal: caller.principal, keyHash: "key", fingerprint: "f", claim: UUID())
      let retention = RequestRetention(
        lifetime: .seconds(60), certainLifetime: .seconds(60), maximumCount: nil, maximumBytes: 1000)
      let state = try await store.claim(
        request, leaseUntil: Fixture.now + .seconds(60), keeping: retention, at: Fixture.now)
      return (request, state)
    }
    let first = try await claim()
    #expect(first.state == .claimed)
    // In the place of the connection that the server has not missed yet.
    try RawPostgreSQL(database.url).execute(Self.cut)
    let former = try RawPostgreSQL(database.url)
    try former.execute("SELECT pg_advisory_lock(\(AdvisoryLock.service.arguments))")
    await #expect(throws: StoreUnavailable.self) {
      try await store.finish(first.request, status: 201, sealedBody: [7])
    }
    try former.execute("SELECT pg_advisory_unlock(\(AdvisoryLock.service.arguments))")
    try await store.finish(first.request, status: 201, sealedBody: [7])
    #expect(try await claim().state == .answered(status: 201, sealedBody: [7]))
  }

  @Test("Two transactions in each other's way are carried out again, some times and not for good")
  func conflicts() async throws {
    try await Self.withDatabase { store, database in
      let tries = Mutex(0)
      @Sendable func conflict(_ connection: any SQLConnection, until last: Int) throws {
        try connection.run("INSERT INTO setting (key, value) VALUES (?, '')", ["test \(last)"])
        guard
          tries.withLock({
            $0 += 1; return $0
          }) < last
        else { return }
        try connection.runScript("DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = 'serialization_failure'; END $$")
      }
      try await store.write { try conflict($0, until: 3) }
      #expect(tries.withLock { $0 } == 3)
      await #expect(throws: StoreUnavailable.self) { try await store.write { try conflict($0, until: 100) } }
      #expect(tries.withLock { $0 } < 10)
      #expect(try Self.count(database) == "1")
    }
  }

  @Test(
    "A server that may only be read, one that is too slow and one that takes no more connections are away for a while")
  func troubles() async throws {
    try await Self.withDatabase { store, database in
      let slow = await #expect(throws: StoreUnavailable.self) {
        try await store.write { connection in
          try connection.run("SET LOCAL statement_timeout = '20ms'")
          try connection.run("SELECT pg_sleep(10)")
        }
      }
      #expect(slow.map { "\($0)".contains("57014") } == true)
      try await Self.write("test 0", store)
      try database.administer("ALTER DATABASE \(database.name) SET default_transaction_read_only = on")
      try RawPostgreSQL(database.url).execute(Self.cut)
      await #expect(throws: StoreUnavailable.self) { try await Self.write("test 1", store) }
      try database.administer("ALTER DATABASE \(database.name) RESET default_transaction_read_only")
      try await Self.write("test 2", store)
      try database.administer("CREATE ROLE guest_of_\(database.name) LOGIN CONNECTION LIMIT 1")
      try RawPostgreSQL(database.url).execute(
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO guest_of_\(database.name)")
      let url = database.url.replacing("//vpsd@", with: "//guest_of_\(database.name)@")
      let crowded = try await SQLStore.open(.server(try #require(PostgreSQLAddress(url))), .asItIs)
      await #expect(throws: StoreUnavailable.self) { try await crowded.isBootstrapped() }
      try await Self.write("test 3", crowded)
      #expect(try Self.count(database) == "3")
    }
  }

  @Test("What is read at once is of one moment, and writes are one after the other whoever makes them")
  func moments() async throws {
    try await Self.withDatabase { store, database in
      let other = try await SQLStore.open(.server(database.address), .asItIs)
      let url = database.url
      let counts = try await store.read { connection in
        let before = try connection.value(Int.self, "SELECT COUNT(*) FROM setting")
        try RawPostgreSQL(url).execute("INSERT INTO setting (key, value) VALUES ('test', '0')")
        return [before, try connection.value(Int.self, "SELECT COUNT(*) FROM setting")]
      }
      #expect(counts == [0, 0])
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<100 {
          group.addTask {
            try await (number % 2 == 0 ? store : other).write { connection in
              let value = try connection.value(String.self, "SELECT value FROM setting WHERE key = 'test'") ?? ""
              try connection.run(
                "UPDATE setting SET value = ? WHERE key = 'test'", ["\((Int(value) ?? 0) + 1)"])
            }
          }
        }
        try await group.waitForAll()
      }
      #expect(try RawPostgreSQL(url).rows("SELECT value FROM setting WHERE key = 'test'") == [["100"]])
    }
  }

  @Test("Values go there and back, sums too large for a number are none, and letters are small as Swift knows them")
  func values() async throws {
    try await Self.withDatabase { store, _ in
      try await store.read { connection in try Self.expectValues(connection) }
    }
  }

  private static func expectValues(_ connection: any SQLConnection) throws {
    for number in [0, 1, -1, 9_999, 10_000, -10_000, 123_456_789, .max, .min] as [Int64] {
      #expect(try connection.value(Int64.self, "SELECT CAST(? AS BIGINT)", [number]) == number)
      #expect(try connection.value(Int64.self, "SELECT CAST(CAST(? AS BIGINT) AS NUMERIC)", [number]) == number)
    }
    #expect(throws: UnreadableColumn.self) {
      try connection.value(Int64.self, "SELECT CAST(? AS NUMERIC) + 1", [Int64.max])
    }
    #expect(throws: UnreadableColumn.self) { try connection.value(Int64.self, "SELECT 1.5") }
    for text in ["", "ÀÉ İ", "a'b\\c?$1", "Ж💧"] {
      #expect(try connection.value(String.self, "SELECT CAST(? AS TEXT)", [text]) == text)
      #expect(try connection.value(String.self, "SELECT lower(?)", [text]) == text.lowercased())
    }
    let bytes: [UInt8] = [0, 255, 39, 92]
    #expect(try connection.value([UInt8].self, "SELECT CAST(? AS BYTEA)", [bytes]) == bytes)
    #expect(try connection.value(Int64?.self, "SELECT CAST(? AS BIGINT)", [nil]) == .some(nil))
  }

  @Test("The text is translated outside its quotes only")
  func dialect() {
    let sql = "SELECT lower(a), 'lower(?)', flower(b), lower FROM c WHERE d = ? AND e = ?1 AND f IN (?, ?)"
    #expect(
      PostgreSQLDialect.translated(sql)
        == "SELECT vpsd_lower(a), 'lower(?)', flower(b), lower FROM c WHERE d = $1 AND e = $1 AND f IN ($2, $3)")
    #expect(PostgreSQLDialect.translated("?2 = ? OR group_concat(x, '?''?')") == "$2 = $3 OR string_agg(x, '?''?')")
    #expect(
      PostgreSQLDialect.translated("SELECT a FROM b INDEXED BY c_of_d WHERE e = 'INDEXED BY f'")
        == "SELECT a FROM b WHERE e = 'INDEXED BY f'")
  }

  @Test("What the store tells of an error of the program shows neither the statement nor its arguments")
  func errors() async throws {
    try await Self.withDatabase { store, _ in
      for sql in [
        "SELECT nothing FROM account WHERE email = ?", "INSERT INTO account (email) VALUES (?)",
        "SELECT CAST(CAST(? AS TEXT) AS BIGINT)",
      ] {
        let error = await #expect(throws: Failure.self) {
          try await store.write { database in try database.run(sql, ["secret@example.com"]) }
        }
        let text = String(reflecting: error)
        #expect(!text.contains("VALUES") && !text.contains("secret"))
        #expect(text.contains("PostgreSQL"))
      }
    }
  }
}
