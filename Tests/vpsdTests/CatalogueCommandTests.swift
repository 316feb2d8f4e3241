import Foundation
import TestSupport
import Testing

@Suite("An operator changes what is for sale while the service runs")
struct CatalogueCommandTests {
  @Test(
    "A plan is offered, becomes dearer and is retired: the service that runs sees it, and servers that there are go on")
  func plans() async throws {
    let someone = try Operator()
    let customer = try Customer(of: someone, try someone.serve())
    let added = try someone.run(
      "plan", "add", "Tiny VPS", "--vcpus", "1", "--memory", "256", "--storage", "3", "--bandwidth", "100", "--price",
      "0.000001", "--locations", "us-west", "--json")
    #expect(added.status == 0, "\(added.all)")
    let plan = try #require(try added.objects.first)
    #expect(plan["id"] as? Int == 4 && plan["slug"] as? String == "tiny-vps")
    #expect(plan["price_hourly"] as? String == "0.000001" && plan["price_monthly"] as? String == "0.000672")
    try await customer.eventually("/plans/4/") { reply in
      try reply.status == 200 && reply.json["locations"] as? [String] == ["us-west"]
    }
    let server = try await customer.makeServer("tiny", plan: 4)

    for arguments in [["--memory", "512"], ["--vcpus", "2"], ["--storage", "4"]] {
      let refused = try someone.run(["plan", "update", "tiny-vps"] + arguments)
      #expect(
        refused.status == 4 && refused.errors.contains("1 server(s) have the plan \"tiny-vps\""), "\(refused.all)")
    }
    let taken = try someone.run("plan", "update", "4", "--slug", "nano")
    #expect(taken.status == 4 && taken.errors.contains("The plan 3 has the slug \"nano\" already."), "\(taken.all)")
    #expect(try someone.run("plan", "update", "4", "--price", "0.002", "--memory", "256").status == 0)
    try await customer.eventually("/plans/4/") { try $0.json["price_hourly"] as? Double == 0.002 }

    func price(of server: Int) throws -> String? {
      try someone.run("server", "show", "\(server)", "--json").objects.first?["price_hourly"] as? String
    }
    let second = try await customer.makeServer("second", plan: 4)
    #expect(try price(of: server) == "0.000001" && price(of: second) == "0.002")
    let dearer = try someone.run("plan", "update", "4", "--price", "0.003", "--existing")
    #expect(dearer.output.hasSuffix("2 server(s) cost something else from their next hour on.\n"), "\(dearer.all)")
    #expect(try price(of: server) == "0.003" && price(of: second) == "0.003")
    #expect(try someone.run("plan", "update", "4", "--existing").output.contains("0 server(s)"))

    #expect(try someone.run("plan", "retire", "Tiny VPS").status == 0)
    let order = #"{"name": "late", "plan_id": 4, "os_id": 3, "location": "us-west"}"#
    // The service's catalogue may be a second old, but nothing is sold by an old one.
    let refused = try await customer.send("POST", "/servers/", order)
    #expect(refused.status == 400 && refused.text.contains("plan_id"), "\(refused.text)")
    try await customer.eventually("/plans/4/") { try $0.json["available"] as? Bool == false }
    try await customer.eventually("/servers/\(server)/") { try $0.json["status"] as? String == "active" }
    expectEqual(try await customer.send("POST", "/servers/\(server)/reboot/").status, 200)
    try await customer.eventually("/servers/\(server)/") { try $0.json["status"] as? String == "active" }

    let list = try someone.run("plan", "list")
    #expect(list.output.contains("retired") && list.output.split(separator: "\n").count == 5)
    #expect(try someone.run("plan", "list", "--json").objects.compactMap { $0["id"] as? Int } == [1, 2, 3, 4])
    let audit = try someone.run("audit").output
    #expect(audit.contains("tiny-vps: price_hourly 0.002") && audit.contains("tiny-vps: available false"))
    #expect(audit.contains("tiny-vps: price_hourly 0.003, price of 2 server(s)"))
    #expect(try someone.run("check").status == 0)
  }

  @Test("Operating systems and locations likewise")
  func others() async throws {
    let someone = try Operator()
    let customer = try Customer(of: someone, try someone.serve())
    let system = try someone.run("os", "add", "Debian 13", "--family", "debian", "--version", "13", "--json")
    #expect(try system.objects.first?["slug"] as? String == "debian-13", "\(system.all)")
    #expect(try system.objects.first?["image"] as? String == "debian-13")
    let location = try someone.run(
      "location", "add", "eu-1", "--name", "Europe", "--country-code", "BG", "--country-name", "Bulgaria")
    #expect(location.status == 0, "\(location.all)")
    #expect(try someone.run("plan", "update", "nano", "--locations", "us-west,eu-1").status == 0)
    try await customer.eventually("/operating-systems/6/") { $0.status == 200 }
    try await customer.eventually("/plans/?location=eu-1") { try $0.json["count"] as? Int == 1 }
    let order = #"{"name": "eu", "plan_id": 3, "os_id": 6, "location": "eu-1"}"#
    expectEqual(try await customer.send("POST", "/servers/", order).status, 201)

    #expect(try someone.run("os", "retire", "debian-13").status == 0)
    #expect(try someone.run("location", "update", "eu-1", "--no-active").status == 0)
    try await customer.eventually("/locations/eu-1/") {
      try $0.json["is_active"] as? Bool == false
    }
    try await customer.eventually("/operating-systems/6/") {
      try $0.json["available"] as? Bool == false
    }
    let refused = try await customer.send("POST", "/servers/", order)
    #expect(refused.status == 400 && refused.text.contains("os_id") && refused.text.contains("location"))
    #expect(try someone.run("os", "list", "--json").objects.count == 3)
    #expect(try someone.run("location", "list", "--json").objects.count == 3)
  }

  @Test("What breaks a rule is refused with its option and the rule, whatever the database is like")
  func rules() throws {
    let someone = try Operator()
    let plan = ["plan", "add", "A", "--vcpus", "1", "--memory", "512", "--storage", "5", "--bandwidth", "1"]
    for (arguments, words) in [
      (plan + ["--price", "0.0000001"], "--price: \"0.0000001\" is no amount"),
      (plan + ["--price", "1e3"], "--price: \"1e3\" is no amount"), (plan, "--price"),
      (plan + ["--price", "1", "--slug", "../a"], "--slug: Write 1 to 64 of a-z"),
      (["plan", "update", "nano", "--vcpus", "0"], "--vcpus: 1 to 1024"),
      (["plan", "update", "nano", "--name", ""], "--name: This may not be blank."),
      (["plan", "update", "nano", "--description", "a\u{1B}[2J"], "--description: Control characters"),
      (["os", "update", "debian-12", "--image", "../../etc"], "--image: Write 1 to 64"),
      (["os", "add", "Ж", "--family", "debian", "--version", "12"], "--slug: None can be made of this name"),
      (
        ["location", "add", "eu", "--name", "Europe", "--country-code", "bg", "--country-name", "Bulgaria"],
        "--country-code: Write two capital letters"
      ),
      (["account", "create", "a@example.com", "--credit", "-1"], "--credit"),
      (["account", "create", "a@example.com", "--credit", "1,5"], "--credit: \"1,5\" is no amount"),
      (["server", "list", "--status", "running"], "--status: \"running\" is none of provisioning, active"),
    ] {
      let result = try someone.run(arguments)
      #expect(result.status == 64 && result.errors.contains(words), "\(arguments): \(result.status) \(result.all)")
    }
    try someone.makeInstallation()
    for arguments in [
      ["plan", "update", "large"], ["plan", "retire", "9"], ["os", "retire", "plan9"], ["location", "update", "mars"],
      ["plan", "update", "nano", "--locations", "us-west,mars"], ["server", "show", "7"], ["server", "stop", "web"],
      ["server", "delete", "75333dbb-712a-4cde-ae9f-4e1807ce9ab4"], ["server", "list", "--host", "x"],
      ["account", "show", "nobody@example.com"], ["account", "close", "9"], ["token", "revoke", "ci"],
      ["token", "revoke", "9"], ["host", "drain", "7"],
    ] {
      let result = try someone.run(arguments)
      #expect(result.status == 3 && result.errors.hasPrefix("Error: There is no "), "\(arguments): \(result.all)")
    }
    #expect(try someone.run("audit", "--json").objects.isEmpty)
  }
}
