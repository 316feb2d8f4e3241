import Foundation
import TestSupport
import Testing

@Suite("An operator sees to a customer's servers while the service runs")
struct ServerCommandTests {
  @Test(
    "A server is listed, shown, stopped, started and deleted, by its id, uuid or name, and the audit trail says by whom"
  )
  func life() async throws {
    let someone = try Operator()
    let customer = try Customer(of: someone, try someone.serve())
    let (web, other) = (try await customer.makeServer("web"), try await customer.makeServer("db"))
    func isSoon(_ status: String) async throws {
      try await customer.eventually("/servers/\(web)/") { try $0.json["status"] as? String == status }
    }
    try await isSoon("active")
    let listed = try someone.run("server", "list", "--json", "--account", "admin@localhost").objects
    #expect(listed.map { $0["name"] as? String } == ["web", "db"])
    let uuid = try #require(listed.first?["uuid"] as? String)
    #expect(try someone.run("server", "list", "--status", "error", "--json").output.isEmpty)
    let shown = try someone.run("server", "show", "WEB").output
    #expect(shown.contains(uuid) && shown.contains("admin@localhost (1)") && shown.contains("Nano VPS"), "\(shown)")

    let stopping = try someone.run("server", "stop", "web")
    #expect(stopping.output == "The server \(web) is stopping.\n", "\(stopping.all)")
    try await isSoon("stopped")
    let again = try someone.run("server", "stop", "web")
    #expect(again.status == 4 && again.errors == "Error: Server is not running.\n", "\(again.all)")
    #expect(try someone.run("server", "start", uuid, "--json").objects.first?["status"] as? String == "starting")
    try await isSoon("active")

    let twin = try await customer.makeServer("web")
    let ambiguous = try someone.run("server", "delete", "web")
    #expect(ambiguous.status == 4 && ambiguous.errors.contains("say which by its id, \(web), \(twin)."))
    #expect(try someone.run("server", "delete", "\(web)").status == 0)
    expectEqual(try await customer.send("GET", "/servers/\(web)/").status, 404)
    expectEqual(try await customer.send("GET", "/servers/\(other)/").status, 200)
    let deadline = ContinuousClock.now + .seconds(120)
    while try someone.run("server", "show", "\(web)").status != 3, ContinuousClock.now < deadline {}
    #expect(try someone.run("server", "show", "\(web)").status == 3)

    #expect(try someone.run("audit", "--json", "--server", "db").objects.count == 1)
    #expect(try someone.run("audit", "--json", "--account", "1", "--last", "2").objects.count == 2)
    let audit = try someone.run("audit", "--json", "--server", "\(web)").objects
    let byOperator = audit.filter { $0["token"] is NSNull }
    #expect(byOperator.map { $0["action"] as? String } == ["server.stop", "server.start", "server.delete"])
    #expect(byOperator.allSatisfy { $0["origin"] as? String == "host" && $0["outcome"] as? String == "succeeded" })
    #expect(try someone.run("check").status == 0)
  }

  @Test("Without a service the command says when it will be done, and then it is")
  func later() async throws {
    let someone = try Operator()
    var customer = try Customer(of: someone, try someone.serve())
    let id = try await customer.makeServer("web")
    try await customer.eventually("/servers/\(id)/") { try $0.json["status"] as? String == "active" }
    _ = try someone.endService()
    #expect(
      try someone.run("server", "stop", "web").output
        == "The server \(id) is stopping. That begins when the service runs.\n")
    customer = try Customer(of: someone, try someone.serve())
    try await customer.eventually("/servers/\(id)/") { try $0.json["status"] as? String == "stopped" }
  }
}
