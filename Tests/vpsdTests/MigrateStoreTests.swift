import Foundation
import GRDB
import TestSupport
import Testing

/// Through the program, as it is built.
@Suite("An installation moves to a server of PostgreSQL and back")
struct MigrateStoreTests {
  /// A server that is in each state when the service is killed, by what it is then.
  private static let states = [
    "provisioning", "active", "stopping", "stopped", "starting", "rebooting", "suspended", "error",
  ]

  @Test("With servers of every state, which go on with what they were at, there and after the way back")
  func thereAndBack() async throws {
    let database = try await TestPostgreSQL.Database(empty: ())
    let someone = try Operator()
    let ids = try await Self.leaveServersOfEveryState(someone)
    let before = try Self.rows(ofFile: someone.database)
    #expect(Set(Self.states).isSubset(of: try Self.statuses(someone.database)))
    let key = try Data(contentsOf: URL(fileURLWithPath: someone.data + "/secret.key"))

    let there = try someone.run("migrate-store", "--to", database.url)
    #expect(there.status == 0 && there.output.contains("each is what it was"), "\(there.all)")
    #expect(try Self.rows(onServer: database) == before)
    #expect(try Self.rows(ofFile: Self.moved(someone)) == before)
    let configuration = someone.folder.url.path + "/vpsd.yaml"
    try "database: \(database.url)\n".write(toFile: configuration, atomically: true, encoding: .utf8)
    let served = try Customer(of: someone, try someone.serve("--config", configuration))
    try await Self.expectRest(served, ids)
    let new = try await served.makeServer("new")
    #expect(new == (ids.values.max() ?? 0) + 1)
    try await served.eventually("/servers/\(new)/") { try $0.json["status"] as? String == "active" }
    let config = ["--config", configuration]
    #expect(try someone.run(["server", "resume", "\(ids["suspended"] ?? 0)"] + config).status == 0)
    try await served.eventually("/servers/\(ids["suspended"] ?? 0)/") { try $0.json["status"] as? String == "active" }
    #expect(try someone.run(["check"] + config).output.contains("the records agree, and so do the machines"))
    let refused = try someone.run(["migrate-store", "--to", someone.data + "/back.sqlite"] + config)
    #expect(refused.status != 0 && refused.errors.contains("serves this data directory"), "\(refused.all)")
    _ = try someone.endService()

    // On the old database the server "new" would be a stranger on the host.
    let forgotten = try someone.run("serve")
    #expect(
      forgotten.status == 1 && forgotten.errors.contains("was moved to a server of PostgreSQL"), "\(forgotten.all)")

    try Data("precious".utf8).write(to: URL(fileURLWithPath: someone.database))
    let existing = try someone.run(["migrate-store", "--to", someone.database] + config)
    #expect(existing.status == 4 && existing.errors.contains("vpsd.sqlite is there already"), "\(existing.all)")
    try FileManager.default.removeItem(atPath: someone.database)
    let rows = try Self.rows(onServer: database)
    let back = try someone.run(["migrate-store", "--to", someone.database] + config)
    #expect(back.status == 0 && back.output.contains("Take `database` out of the configuration, and"), "\(back.all)")
    #expect(try Self.rows(ofFile: someone.database) == rows)
    let behind = try someone.run(["serve"] + config)
    #expect(behind.status == 1 && behind.errors.contains("was moved to the file"), "\(behind.all)")
    let twice = try someone.run(["migrate-store", "--to", someone.database + ".again"] + config)
    #expect(twice.status == 4 && twice.errors.contains("vpsd.sqlite already"), "\(twice.all)")
    let home = try Customer(of: someone, try someone.serve())
    expectEqual(try await home.send("GET", "/servers/\(new)/").json["status"] as? String, "active")
    expectEqual(try await home.makeServer("newer"), new + 1)
    #expect(try someone.run("check").status == 0)
    _ = try someone.endService()
    #expect(try Data(contentsOf: URL(fileURLWithPath: someone.data + "/secret.key")) == key)
  }

  @Test("What cannot be done is refused by what is wrong, and nothing is made")
  func refusals() async throws {
    let someone = try Operator()
    let nowhere = "postgresql://vpsd:hunter2@127.0.0.1:1/vpsd"
    let early = try someone.run("migrate-store", "--to", nowhere)
    #expect(early.status == 4 && early.errors.contains("There is no database at"), "\(early.all)")
    #expect(!FileManager.default.fileExists(atPath: someone.data))
    try someone.makeInstallation()
    let names = try someone.names()
    for target in ["", "vpsd.sqlite", "mysql://a/b", someone.folder.url.path + "/copy.sqlite"] {
      let said = try someone.run("migrate-store", "--to", target)
      #expect(said.status == 64 && said.errors.contains("--to: it is not a URL of PostgreSQL"), "\(said.all)")
    }
    let away = try someone.run("migrate-store", "--to", nowhere)
    #expect(away.status == 1 && away.errors.contains("The database postgresql://vpsd@127.0.0.1:1/vpsd cannot be used"))
    #expect(!away.all.contains("hunter2"), "\(away.all)")
    let file = try someone.run(
      ["migrate-store", "--to", nowhere], with: ["VPSD_DATABASE": "postgresql://vpsd@127.0.0.1:1/vpsd"])
    #expect(file.status == 64 && file.errors.contains("the path of a new file"), "\(file.all)")
    #expect(try someone.names() == names)
  }

  @Test("One that is killed in the middle leaves nothing, and once more does it")
  func killed() async throws {
    let someone = try Operator()
    try someone.makeInstallation()
    let database = try await TestPostgreSQL.Database()
    // Somebody has begun to write a row that is among those that come.
    let other = try RawPostgreSQL(database.url)
    try other.execute("BEGIN; INSERT INTO setting VALUES ('installation_id', '')")
    let process = Process()
    process.executableURL = Operator.program
    process.arguments = ["migrate-store", "--to", database.url]
    process.environment = ["PATH": "/usr/bin:/bin", "VPSD_DATA_DIR": someone.data, "VPSD_DRIVER": "simulated"]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    let waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    let raw = try RawPostgreSQL(database.url)
    while try raw.rows(waiting).isEmpty {
      guard process.isRunning else { break }
      try await Task.sleep(for: .milliseconds(20))
    }
    let shutdown = try someone.run("shutdown")
    #expect(shutdown.status == 4 && shutdown.errors.contains("`vpsd migrate-store`"), "\(shutdown.all)")
    #expect(process.isRunning)
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    try other.execute("ROLLBACK")
    let again = try someone.run("migrate-store", "--to", database.url)
    #expect(again.status == 0, "\(again.all)")
    let moved = try Self.moved(someone)
    #expect(try Self.rows(onServer: database) == Self.rows(ofFile: moved))
    let third = try someone.run("migrate-store", "--to", database.url)
    #expect(third.status == 4 && third.errors.contains("was moved to a server of PostgreSQL"), "\(third.all)")
    try FileManager.default.moveItem(atPath: moved, toPath: someone.database)
    let fourth = try someone.run("migrate-store", "--to", database.url)
    #expect(
      fourth.status == 4 && fourth.errors.contains("is not empty: there is something in the table"), "\(fourth.all)")
    #expect(FileManager.default.fileExists(atPath: someone.database))
  }

  /// The file that was moved.
  private static func moved(_ someone: Operator) throws -> String {
    let names = try someone.names().filter { $0.hasPrefix("vpsd.sqlite.moved-") }
    #expect(names.count == 1, "\(names)")
    let name = try #require(names.first)
    return "\(someone.data)/\(name)"
  }

  // MARK: What is moved

  /// Returns their ids, by what they were when the service was killed.
  private static func leaveServersOfEveryState(_ someone: Operator) async throws -> [String: Int] {
    let customer = try Customer(of: someone, try someone.serve())
    func isNow(_ status: String, _ id: Int) async throws {
      try await customer.eventually("/servers/\(id)/") { try $0.json["status"] as? String == status }
    }
    var ids: [String: Int] = [:]
    for state in states where state != "provisioning" { ids[state] = try await customer.makeServer(state) }
    for id in ids.values { try await isNow("active", id) }
    let more = try await customer.send(
      "POST", "/servers/",
      ##"{"name": "more", "plan_id": 3, "os_id": 3, "location": "us-west", "user_data": "#!/bin/sh", "labels": {"a": "b"}}"##
    )
    #expect(more.status == 201, "\(more.text)")
    for (path, body) in [
      ("/servers/\(ids["active"] ?? 0)/backup/", "{}"),
      ("/servers/\(ids["active"] ?? 0)/snapshot/", #"{"label": "s"}"#),
      ("/tokens/", #"{"name": "t", "permissions": ["servers:read"]}"#),
    ] {
      let made = try await customer.send("POST", path, body)
      #expect((200..<300).contains(made.status), "\(path): \(made.text)")
    }
    for state in ["starting", "stopped"] {
      _ = try await customer.send("POST", "/servers/\(ids[state] ?? 0)/stop/")
      try await isNow("stopped", ids[state] ?? 0)
    }
    #expect(try someone.run("server", "suspend", "\(ids["suspended"] ?? 0)").status == 0)
    try await isNow("suspended", ids["suspended"] ?? 0)
    let gone = try await customer.makeServer("gone")
    _ = try await customer.send("DELETE", "/servers/\(gone)/")
    for (state, action) in [("stopping", "stop"), ("starting", "start"), ("rebooting", "reboot")] {
      let said = try await customer.send("POST", "/servers/\(ids[state] ?? 0)/\(action)/")
      #expect(said.status == 200, "\(said.text)")
    }
    ids["provisioning"] = try await customer.makeServer("provisioning")
    someone.killService()
    try await DatabaseQueue(path: someone.database).write { database in
      try database.execute(
        sql: "UPDATE server SET status = 'error', status_reason = 'It was broken.' WHERE name = 'error'")
    }
    return ids
  }

  /// What each becomes that is left alone.
  private static func expectRest(_ customer: Customer, _ ids: [String: Int]) async throws {
    for (state, id) in ids {
      let rest = ["stopping": "stopped", "stopped": "stopped", "suspended": "suspended"][state] ?? "active"
      try await customer.eventually("/servers/\(id)/") { try $0.json["status"] as? String == rest }
    }
  }

  private static func statuses(_ path: String) throws -> Set<String> {
    Set(try DatabaseQueue(path: path).inDatabase { try String.fetchAll($0, sql: "SELECT status FROM server") })
  }

  /// By table and in the order of their texts: the columns in the order of their names.
  private static func rows(ofFile path: String) throws -> [String: [String]] {
    try DatabaseQueue(path: path).inDatabase { database in
      let tables = try String.fetchAll(
        database, sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
      return Dictionary(
        uniqueKeysWithValues: try tables.filter { $0 != "grdb_migrations" }.map { table in
          let columns = try database.columns(in: table).map(\.name).sorted()
          let list = columns.map {
            "CASE WHEN \($0) IS NULL THEN '-' WHEN typeof(\($0)) = 'blob' THEN '\\x' || hex(\($0)) ELSE '=' || \($0) END"
          }
          let sql = "SELECT \(list.joined(separator: " || '|' || ")) FROM \(table)"
          return (table, try String.fetchAll(database, sql: sql).sorted())
        })
    }
  }

  private static func rows(onServer database: TestPostgreSQL.Database) throws -> [String: [String]] {
    let raw = try RawPostgreSQL(database.url)
    let columns = try raw.rows(
      """
      SELECT table_name, column_name, data_type FROM information_schema.columns
      WHERE table_schema = 'public' AND table_name <> 'schema_migration'
      """)
    return try Dictionary(grouping: columns) { $0[0] ?? "" }.reduce(into: [:]) { rows, table in
      let list = table.value.sorted { ($0[1] ?? "") < ($1[1] ?? "") }.map { column in
        let name = column[1] ?? ""
        let text = column[2] == "bytea" ? "'\\x' || upper(encode(\(name), 'hex'))" : "'=' || \(name)"
        return "COALESCE(\(text), '-')"
      }
      let sql = "SELECT \(list.joined(separator: " || '|' || ")) FROM \(table.key)"
      rows[table.key] = try raw.rows(sql).map { $0[0] ?? "" }.sorted()
    }
  }
}
