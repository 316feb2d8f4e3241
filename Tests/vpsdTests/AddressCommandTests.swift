import Foundation
import TestSupport
import Testing

@Suite("An operator gives servers addresses, and takes them back, while the service runs")
struct AddressCommandTests {
  private static let settings = [
    "VPSD_ADDRESS_POOL": "203.0.113.0/29", "VPSD_ADDRESS_POOL6": "2001:db8:10::/64", "VPSD_ADDRESSES_PER_SERVER": "4",
  ]

  @Test("An address is added, seen by the customer, and removed; what cannot be done is refused and changes nothing")
  func life() async throws {
    let someone = try Operator(Self.settings)
    let customer = try Customer(of: someone, try someone.serve())
    let (web, other) = (try await customer.makeServer("web"), try await customer.makeServer("db"))
    try await customer.eventually("/servers/\(web)/") { try $0.json["status"] as? String == "active" }
    func shown(_ key: String) async throws -> [String]? {
      try await customer.send("GET", "/servers/\(web)/").json[key] as? [String]
    }
    let added = try someone.run("address", "add", "web")
    #expect(added.status == 0 && added.output == "The server \(web) has 203.0.113.3.\n", "\(added.all)")
    let six = try someone.run("address", "add", "web", "--family", "6", "--json").objects
    #expect(six.first?["address"] as? String == "2001:db8:10::3" && six.first?["applied"] as? Bool == true)
    expectEqual(try await shown("ipv4_addresses"), ["203.0.113.1", "203.0.113.3"])
    expectEqual(try await shown("ipv6_addresses"), ["2001:db8:10::1", "2001:db8:10::3"])
    let full = try someone.run("address", "add", "web")
    #expect(full.status == 4 && full.errors.contains("has 4 addresses, and may have no more"), "\(full.all)")
    #expect(try await customer.send("GET", "/servers/\(web)/").json["ipv6_network"] is NSNull)

    let listed = try someone.run("address", "list", "--json").objects
    #expect(listed.compactMap { $0["server_id"] as? Int } == [web, other, web, web, other, web])
    for (arguments, status, words) in [
      (["remove", "web", "203.0.113.2"], 3, "but of the server \(other)"),
      (["remove", "web", "192.0.2.1"], 3, "is no address of the server \(web)."),
      (["remove", "db", "203.0.113.2"], 4, "is the only IPv4 address"),
      (["add", "db", "203.0.113.3"], 4, "is an address of the server \(web)"),
      (["add", "db", "198.51.100.1"], 4, "in no pool of us-west"), (["add", "nobody"], 3, "There is no server"),
      (["add", "db", "--family", "5"], 64, "4 or 6"), (["add", "db", "203.0.113"], 64, "no IP address"),
      (["reserve", "198.51.100.1"], 4, "in no pool"), (["reserve", "203.0.113.4", "--release"], 4, "is not reserved"),
    ] {
      let refused = try someone.run(["address"] + arguments)
      #expect(refused.status == status && refused.errors.contains(words), "\(arguments): \(refused.all)")
    }
    #expect(try someone.run("address", "list", "--json").objects.count == listed.count)

    let removed = try someone.run("address", "remove", "web", "203.0.113.1")
    #expect(removed.output == "The server \(web) has 203.0.113.1 no more.\n", "\(removed.all)")
    expectEqual(try await customer.send("GET", "/servers/\(web)/").json["ip_address"] as? String, "203.0.113.3")
    #expect(try someone.run("server", "show", "web").output.contains("2001:db8:10::1 2001:db8:10::3"))
    let history = try someone.run("address", "history", "203.0.113.1", "--json").objects
    #expect(history.count == 1 && history[0]["released_at"] is String)
    #expect(try someone.run("check").status == 0)
  }

  @Test("Reserved addresses are given to nobody; one that rests is given to another account only when that is said")
  func reserved() async throws {
    let someone = try Operator(Self.settings)
    let customer = try Customer(of: someone, try someone.serve())
    #expect(try someone.run("address", "reserve", "203.0.113.1", "2001:db8:10::1").status == 0)
    let web = try await customer.makeServer("web")
    let active = try await customer.eventually("/servers/\(web)/") { try $0.json["status"] as? String == "active" }
    #expect(try active.json["ip_address"] as? String == "203.0.113.2")
    #expect(try active.json["ipv6_address"] as? String == "2001:db8:10::2")
    #expect(try someone.run("address", "list").output.contains("reserved"))
    let taken = try someone.run("address", "add", "web", "203.0.113.1")
    #expect(taken.status == 4 && taken.errors.contains("is reserved"))
    #expect(try someone.run("address", "reserve", "--release", "203.0.113.1").status == 0)
    #expect(try someone.run("address", "add", "web", "203.0.113.1").status == 0)
    #expect(try someone.run("address", "remove", "web", "203.0.113.1").status == 0)

    #expect(try someone.run("account", "create", "b@example.com", "--credit", "10").status == 0)
    let token = try someone.run("token", "create", "--account", "b@example.com", "--name", "b", "--json").objects
    let secret = try #require(token.first?["token"] as? String)
    let second = try Customer(of: someone, customer.url, token: secret)
    let foreign = try await second.makeServer("foreign")
    try await second.eventually("/servers/\(foreign)/") { try $0.json["status"] as? String == "active" }
    let resting = try someone.run("address", "add", "foreign", "203.0.113.1")
    #expect(resting.status == 4 && resting.errors.contains("rests until"), "\(resting.all)")
    #expect(try someone.run("address", "list").output.contains("rests until"))
    let rested = try someone.run("address", "add", "foreign", "203.0.113.1", with: ["VPSD_ADDRESS_REST": "0"])
    #expect(rested.status == 0, "\(rested.all)")
  }

  @Test("Without a service it is done when that runs; the loopback network gives a server one address")
  func later() async throws {
    let someone = try Operator(Self.settings)
    var customer = try Customer(of: someone, try someone.serve())
    let web = try await customer.makeServer("web")
    try await customer.eventually("/servers/\(web)/") { try $0.json["status"] as? String == "active" }
    _ = try someone.endService()
    let added = try someone.run("address", "add", "web")
    #expect(added.output == "The server \(web) has 203.0.113.2. That begins when the service runs.\n", "\(added.all)")
    let loopback = try someone.run(
      "address", "add", "web",
      with: ["VPSD_DRIVER": "libvirt", "VPSD_ADDRESS_POOL": "127.80.0.0/16", "VPSD_ADDRESS_POOL6": "none"])
    #expect(loopback.status == 4 && loopback.errors.contains("at this host's loopback"), "\(loopback.all)")
    customer = try Customer(of: someone, try someone.serve())
    let operations = try await customer.eventually("/servers/\(web)/operations/") {
      $0.text.contains(#""kind":"readdress","status":"succeeded""#)
    }
    #expect(operations.status == 200)
  }

  @Test("An account may be let mail, which is shown, and ended again")
  func mail() async throws {
    let someone = try Operator()
    try someone.makeInstallation()
    func shown() throws -> String { try someone.run("account", "show", "admin@localhost").output }
    #expect(try !shown().contains("port 25"))
    let changed = try someone.run("account", "update", "admin@localhost", "--smtp-outbound", "yes", "--json").objects
    #expect(changed.first?["smtp_outbound"] as? Bool == true)
    #expect(try shown().contains("may open connections to port 25"))
    #expect(try someone.run("account", "update", "admin@localhost", "--smtp-outbound", "perhaps").status == 64)
    #expect(try someone.run("account", "update", "admin@localhost", "--smtp-outbound", "no").status == 0)
    #expect(try !shown().contains("port 25"))
  }
}
