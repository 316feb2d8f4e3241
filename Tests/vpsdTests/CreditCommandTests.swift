import Core
import Foundation
import FoundationNetworking
import GRDB
import SQLStore
import TestSupport
import Testing

/// Through the program, as it is built.
@Suite("Credit and suspension, as an operator types them")
struct CreditCommandTests {
  @Test("Amounts are decimals and nothing else, and change what the account has to the last millionth")
  func amounts() throws {
    let someone = try Operator()
    try someone.makeInstallation()
    _ = try someone.run("account", "create", "ada@example.com")
    for amount in ["0", "0.0000001", "1e3", ".5", "5.", "+1", "ten", "", "1000000001", "0x10", "1,5", "١"] {
      let result = try someone.run("credit", "add", "ada@example.com", amount)
      #expect(result.status == 64 && result.errors.contains("an amount above 0"), "\(amount): \(result.all)")
    }
    for (amount, sum) in [("0.10", "0.10"), ("0.000001", "0.100001"), ("5", "5.100001")] {
      let result = try someone.run("credit", "add", "ada@example.com", amount, "--note", "Thanks")
      #expect(result.status == 0 && result.output.contains(" has \(sum) USD."), "\(result.all)")
    }
    let nobody = try someone.run("credit", "add", "eve@example.com", "1")
    #expect(nobody.status == 3 && nobody.errors.contains("There is no account \"eve@example.com\""))
    let shown = try someone.run("credit", "show", "ada@example.com", with: ["VPSD_CURRENCY": "EUR"])
    #expect(shown.output.contains("5.100001 EUR"))
    #expect(try someone.run("credit", "check").output.contains("2 account(s), 4 entries: the ledger adds up."))
    #expect(try someone.run("audit").output.contains("credit.add"))
  }

  @Test("A ledger that somebody has changed does not add up")
  func forged() async throws {
    let someone = try Operator()
    try someone.makeInstallation()
    let database = try DatabaseQueue(path: someone.database)
    try await database.write { try $0.execute(sql: "UPDATE account SET balance = balance + 1") }
    try database.close()
    let result = try someone.run("credit", "check")
    #expect(result.status == 1 && result.output.contains("account 1: the balance is 100.000001"), "\(result.all)")
  }

  @Test("The service notices what a command suspends or resumes")
  func besideTheService() async throws {
    let someone = try Operator()
    let banner = try someone.serve()
    let store = try SQLStore(path: someone.database, .asItIs)
    try await Self.order(banner, someone)
    let id = ID<Server>(1)
    try await Self.expect(.active, id, store)
    #expect(try someone.run("server", "suspend", "\(id)", "--reason", "Spam.").status == 0)
    try await Self.expect(.suspended, id, store)
    #expect(try someone.run("server", "resume", "\(id)").status == 0)
    try await Self.expect(.active, id, store)
    #expect(try someone.run("account", "suspend", "admin@localhost", "--reason", "Abuse.").status == 0)
    try await Self.expect(.suspended, id, store)
    #expect(try someone.run("credit", "show").output.contains("Abuse."))
    #expect(try someone.run("check").status == 0)
    #expect(try someone.run("account", "resume", "admin@localhost").status == 0)
    try await Self.expect(.active, id, store)
    #expect(try someone.run("credit", "check").status == 0)
    _ = try someone.endService()
  }

  private static func order(_ banner: String, _ someone: Operator) async throws {
    let url = try #require(banner.firstMatch(of: /http:\/\/[0-9.:]+/)).output
    var request = URLRequest(url: try #require(URL(string: url + "/api/v1/servers/")))
    request.httpMethod = "POST"
    let token = try String(contentsOfFile: someone.data + "/token", encoding: .utf8)
    request.setValue(
      "Bearer " + token.trimmingCharacters(in: .whitespacesAndNewlines), forHTTPHeaderField: "Authorization")
    request.setValue("application/json", forHTTPHeaderField: "Content-Type")
    request.httpBody = Data(#"{"name": "web", "plan_id": 3, "os_id": 3, "location": "us-west"}"#.utf8)
    let (_, response) = try await URLSession.shared.data(for: request)
    #expect((response as? HTTPURLResponse)?.statusCode == 201)
  }

  private static func expect(_ status: ServerStatus, _ id: ID<Server>, _ store: SQLStore) async throws {
    let deadline = ContinuousClock.now + .seconds(120)
    while try await store.server(id)?.status != status {
      guard ContinuousClock.now < deadline else {
        Issue.record("server \(id) is not \(status) but \(try await store.server(id)?.status as Any)")
        return
      }
      try await Task.sleep(for: .milliseconds(20))
    }
  }
}
