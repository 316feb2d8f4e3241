import Foundation
import GRDB
import TestSupport
import Testing

@Suite("An operator opens and closes accounts while the service runs")
struct AccountCommandTests {
  @Test("An account that is closed costs, holds and knows nothing any more; its ledger and what was done stay")
  func closing() async throws {
    let someone = try Operator()
    let banner = try someone.serve()
    let opened = try someone.run(
      "account", "create", "ada@example.com", "--credit", "0.123456", "--first-name", "Ada", "--json")
    #expect(try opened.objects.first?["balance"] as? String == "0.123456", "\(opened.all)")
    let again = try someone.run("account", "create", "ADA@example.com")
    #expect(again.status == 4 && again.errors.contains("An account with this email exists already"))
    let made = try someone.run("token", "create", "--name", "Ada's laptop", "--account", "2", "--json")
    let text = try #require(try made.objects.first?["token"] as? String)
    let ada = try Customer(of: someone, banner, token: text)
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl ada@home"
    expectEqual(try await ada.send("POST", "/ssh-keys/", #"{"name": "k", "public_key": "\#(key)"}"#).status, 201)
    let server = try await ada.makeServer("web")
    try await ada.eventually("/servers/\(server)/") { try $0.json["status"] as? String == "active" }
    let shown = try #require(try someone.run("account", "show", "ada@example.com", "--json").objects.first)
    #expect(["servers", "tokens", "ssh_keys"].allSatisfy { shown[$0] as? Int == 1 }, "\(shown)")

    let refused = try someone.run("account", "close", "ada@example.com")
    #expect(refused.status == 4 && refused.errors.contains("The account 2 has 1 server(s)."), "\(refused.all)")
    expectEqual(try await ada.send("GET", "/servers/\(server)/").status, 200)

    let closed = try someone.run("account", "close", "ada@example.com", "--delete-servers")
    #expect(closed.output == "The account 2 is closed. Its balance of 0.118456 stays in the ledger.\n", "\(closed.all)")
    // The service may believe in the token for another second, but nothing comes of it.
    let order = #"{"name": "late", "plan_id": 3, "os_id": 3, "location": "us-west"}"#
    expectEqual(try await ada.send("POST", "/servers/", order).status, 401)
    expectEqual(try await ada.send("POST", "/ssh-keys/", #"{"name": "k", "public_key": "\#(key)"}"#).status, 401)
    try await ada.eventually("/account/me/") { $0.status == 401 }
    for arguments in [
      ["account", "close", "2"], ["account", "update", "2", "--first-name", "A"],
      ["token", "create", "--name", "t", "--account", "2"],
    ] {
      let result = try someone.run(arguments)
      #expect(result.status == 4 && result.errors.contains("The account 2 is closed."), "\(result.all)")
    }
    let deadline = ContinuousClock.now + .seconds(120)
    while try !someone.run("server", "list", "--json").output.isEmpty, ContinuousClock.now < deadline {}
    #expect(try someone.run("check").status == 0)
    #expect(try someone.run("account", "list", "--json").objects.map { $0["email"] as? String }.last == "closed-2")
    #expect(try someone.run("audit").output.contains("account.close"))
    #expect(try someone.run("account", "create", "ada@example.com").status == 0)
    _ = try someone.run("account", "update", "3", "--email", "grace@example.com")
    _ = try someone.endService()
    try expectNothing(of: ["ada@example.com", "Ada", "ada@home"], in: someone.database)
  }

  @Test("The first account is an operator's, others are made so and made none again, and no token gets rights by it")
  func operators() throws {
    let someone = try Operator()
    try someone.makeInstallation()
    func isOperator(_ email: String) throws -> Bool? {
      try someone.run("account", "show", email, "--json").objects.first?["operator"] as? Bool
    }
    #expect(try isOperator("admin@localhost") == true)
    #expect(try someone.run("account", "create", "ada@example.com").status == 0)
    #expect(try isOperator("ada@example.com") == false)
    let made = try someone.run("account", "update", "ada@example.com", "--operator")
    #expect(made.status == 0 && made.output.contains("is changed"), "\(made.all)")
    #expect(made.output.contains("signed out everywhere") && made.output.contains("vpsd account login-link 2"))
    #expect(try isOperator("ada@example.com") == true)
    let list = try someone.run("account", "list").output.split(separator: "\n")
    #expect(list.first?.hasSuffix("ROLE") == true && list.count { $0.hasSuffix("operator") } == 2, "\(list)")
    let renamed = try someone.run("account", "update", "ada@example.com", "--first-name", "Ada")
    #expect(renamed.status == 0 && !renamed.output.contains("signed out"), "\(renamed.all)")
    #expect(try isOperator("ada@example.com") == true)
    #expect(try someone.run("account", "update", "ada@example.com", "--no-operator").status == 0)
    #expect(try isOperator("ada@example.com") == false)
    let audit = try someone.run("audit", "--account", "ada@example.com", "--json").objects
    #expect(
      audit.map { $0["detail"] as? String } == ["credit 0.00", "operator", "first_name", "no operator"], "\(audit)")
    let token = try someone.run("token", "create", "--name", "t", "--account", "admin@localhost", "--json")
    #expect(try token.objects.first.map { "\($0)".contains("operator") } == false, "\(token.all)")
  }

  /// Whatever the table and the column.
  private func expectNothing(of words: [String], in path: String) throws {
    try DatabaseQueue(path: path).read { database in
      for table in try String.fetchAll(database, sql: "SELECT name FROM sqlite_master WHERE type = 'table'") {
        for row in try Row.fetchAll(database, sql: "SELECT * FROM \(table)") {
          let text = row.map { "\($1)" }.joined(separator: " ")
          for word in words { #expect(!text.contains(word), "\(table): \(text)") }
        }
      }
    }
  }
}
