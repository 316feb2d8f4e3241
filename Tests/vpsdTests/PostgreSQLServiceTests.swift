import Foundation
import TestSupport
import Testing

/// Through the program, as it is built.
@Suite("The service on a server of PostgreSQL")
struct PostgreSQLServiceTests {
  @Test("What is ordered becomes active, commands work beside the service, and after a kill all is there")
  func life() async throws {
    let database = try await TestPostgreSQL.Database(empty: ())
    let someone = try Operator(["VPSD_DATABASE": database.url])
    let customer = try Customer(of: someone, try someone.serve())
    let server = try await customer.makeServer("web-1")
    try await customer.eventually("/servers/\(server)/") { try $0.json["status"] as? String == "active" }
    #expect(try RawPostgreSQL(database.url).rows("SELECT status FROM server") == [["active"]])
    #expect(!FileManager.default.fileExists(atPath: someone.database))
    for command in [
      ["account", "list"], ["token", "list"], ["host", "list"], ["server", "list"], ["audit"], ["check"],
    ] {
      let said = try someone.run(command)
      #expect(said.status == 0, "\(command): \(said.all)")
    }
    #expect(try someone.run("credit", "add", "admin@localhost", "5").status == 0)
    // Another data directory has another lock.
    let other = try Operator(["VPSD_DATABASE": database.url])
    let refused = try other.run("serve")
    #expect(refused.status != 0 && refused.errors.contains("Another vpsd serves the database postgresql://vpsd@/"))
    for command in ["backup-state", "restore-state"] {
      let said = try someone.run(command, someone.folder.url.path + "/copy")
      #expect(said.status == 4 && said.errors.contains("pg_dump"), "\(said.all)")
    }
    someone.killService()
    let again = try Customer(of: someone, try someone.serve())
    expectEqual(try await again.send("GET", "/servers/\(server)/").json["status"] as? String, "active")
    #expect(try someone.run("check").status == 0)
    _ = try someone.endService()
  }

  @Test("A URL is refused by the name of its key, and no password is ever shown")
  func passwords() throws {
    let someone = try Operator()
    let url = "postgresql://vpsd:hunter2@127.0.0.1:1/vpsd"
    let shown = try someone.run(["config"], with: ["VPSD_DATABASE": url])
    #expect(shown.status == 0 && shown.output.contains("database: postgresql://vpsd@127.0.0.1:1/vpsd"), "\(shown.all)")
    let away = try someone.run(["serve"], with: ["VPSD_DATABASE": url])
    #expect(away.status == 1 && away.errors.contains("The database postgresql://vpsd@127.0.0.1:1/vpsd cannot be used"))
    let wrong = try someone.run(["serve"], with: ["VPSD_DATABASE": url + "?hunter3=%zz"])
    #expect(
      wrong.status != 0 && wrong.errors.contains("VPSD_DATABASE: database: it is not sqlite, or a URL of PostgreSQL"))
    for said in [shown, away, wrong] { #expect(!said.all.contains("hunter"), "\(said.all)") }
  }
}
