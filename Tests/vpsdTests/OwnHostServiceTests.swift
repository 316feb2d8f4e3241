import Foundation
import TestSupport
import Testing

/// Through the program, as it is built, with simulated hosts.
@Suite("Several services on a server of PostgreSQL, each with a host of its own")
struct OwnHostServiceTests {
  private static func someone(
    _ name: String, at location: String, _ database: TestPostgreSQL.Database, beside other: Operator? = nil
  ) throws -> Operator {
    let someone = try Operator([
      "VPSD_DATABASE": database.url, "VPSD_HOST_NAME": name, "VPSD_HOST_LOCATION": location,
      "VPSD_HOST_URL": "https://\(name).example.com", "VPSD_LOG_LEVEL": "notice",
    ])
    if let other {
      try FileManager.default.createDirectory(
        atPath: someone.data, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      try FileManager.default.copyItem(atPath: other.data + "/secret.key", toPath: someone.data + "/secret.key")
    }
    return someone
  }

  @Test(
    "Whichever is asked, the one that has the host does it; who is gone leaves the others as they are, and comes back")
  func life() async throws {
    let database = try await TestPostgreSQL.Database(empty: ())
    let here = try Self.someone("node1", at: "us-west", database)
    let atHere = try Customer(of: here, try here.serve())
    let there = try Self.someone("node2", at: "us-east", database, beside: here)
    let atThere = try Customer(of: there, try there.serve(), token: atHere.token)
    // Each orders at the other's location of the one, and of itself.
    var servers: [String: Int] = [:]
    for (customer, name, location) in [
      (atHere, "a", "us-west"), (atHere, "b", "us-east"), (atThere, "c", "us-west"), (atThere, "d", "us-east"),
    ] {
      let made = try await customer.send(
        "POST", "/servers/", #"{"name": "\#(name)", "plan_id": 3, "os_id": 3, "location": "\#(location)"}"#)
      #expect(made.status == 201, "\(made.text)")
      servers[name] = try #require(try made.json["id"] as? Int)
    }
    for (name, server) in servers {
      let customer = name < "c" ? atThere : atHere
      try await customer.eventually("/servers/\(server)/") { try $0.json["status"] as? String == "active" }
    }
    let hosts = try here.run("host", "list", "--json").objects
    #expect(hosts.map { "\($0["name"] ?? "") \($0["servers"] ?? 0)" } == ["node1 2", "node2 2"])
    let remote = try #require(servers["b"])
    // What has just joined is known everywhere after a notification.
    try await atHere.eventually("/servers/\(remote)/") { try $0.json["status_reason"] is NSNull }
    let password = try await atHere.send("POST", "/servers/\(remote)/reset-password/")
    #expect(password.status == 200, "\(password.text)")
    let console = try await atHere.send("POST", "/servers/\(remote)/console/").json
    #expect((console["url"] as? String)?.hasPrefix("https://node2.example.com/console/#ticket=") == true)
    #expect(console["websocket_url"] as? String == "wss://node2.example.com/console/websocket")

    #expect(try here.run("host", "remove", "node2").status == 4)
    there.killService()
    // Away it is after half a minute without a heartbeat; nothing waits for it meanwhile.
    let near = try #require(servers["a"])
    expectEqual(try await atHere.send("POST", "/servers/\(near)/reboot/").status, 200)
    try await atHere.eventually("/servers/\(remote)/") {
      try ($0.json["status_reason"] as? String)?.contains("does not answer") == true
    }
    expectEqual(try await atHere.send("GET", "/servers/\(remote)/").json["status"] as? String, "active")
    expectEqual(try await atHere.send("POST", "/servers/\(remote)/reset-password/").status, 503)
    let full = try await atHere.send(
      "POST", "/servers/", #"{"name": "e", "plan_id": 3, "os_id": 3, "location": "us-east"}"#)
    #expect(full.status == 503, "\(full.text)")
    // Another machine does not come in its place by a mistake, and what is on it is not forgotten by one.
    let stranger = try Self.someone("node2", at: "us-east", database, beside: here)
    let refused = try stranger.run("serve")
    #expect(refused.status == 4 && refused.errors.contains("is that of another data directory"), "\(refused.all)")
    #expect(try here.run("host", "remove", "node2").errors.contains("2 server(s)"))
    let deleted = try await atHere.send("DELETE", "/servers/\(remote)/")
    #expect(deleted.status < 300, "\(deleted.text)")

    _ = try there.serve()
    try await atHere.eventually("/servers/\(remote)/") { $0.status == 404 }
    try await atHere.eventually("/servers/\(try #require(servers["d"]))/") {
      try $0.json["status"] as? String == "active" && $0.json["status_reason"] is NSNull
    }
    for someone in [here, there] { #expect(try someone.run("check").status == 0) }
    #expect(try there.endService().contains("this service has a duty"))
    _ = try here.endService()
  }

  @Test("A machine that is gone for good is removed with its servers, and one that comes back has nothing of them left")
  func lost() async throws {
    let database = try await TestPostgreSQL.Database(empty: ())
    let here = try Self.someone("node1", at: "us-west", database)
    let customer = try Customer(of: here, try here.serve())
    let there = try Self.someone("node2", at: "us-east", database, beside: here)
    _ = try there.serve()
    let staying = try await customer.makeServer("stays")
    let made = try await customer.send(
      "POST", "/servers/", #"{"name": "goes", "plan_id": 3, "os_id": 3, "location": "us-east"}"#)
    let going = try #require(made.json["id"] as? Int, "\(made.text)")
    for server in [staying, going] {
      try await customer.eventually("/servers/\(server)/") { try $0.json["status"] as? String == "active" }
    }
    #expect(try there.run("check").status == 0)
    let early = try here.run("host", "remove", "node2", "--delete-servers")
    #expect(early.status == 4 && early.errors.contains("stop it first"), "\(early.all)")

    there.killService()
    try await customer.eventually("/servers/\(going)/") {
      try ($0.json["status_reason"] as? String)?.contains("does not answer") == true
    }
    #expect(try here.run("host", "remove", "node2").status == 4)
    let removed = try here.run("host", "remove", "node2", "--delete-servers")
    #expect(removed.status == 0 && removed.output.contains("1 server(s) are deleted"), "\(removed.all)")
    expectEqual(try await customer.send("GET", "/servers/\(going)/").status, 404)
    expectEqual(try await customer.send("GET", "/servers/\(staying)/").json["status"] as? String, "active")
    #expect(try here.run("host", "list", "--json").objects.count == 1)
    #expect(try here.run("check").status == 0)

    func machines() throws -> [String] {
      try FileManager.default.subpathsOfDirectory(atPath: there.data).filter {
        $0.contains("/machines/") && $0.hasSuffix(".json")
      }
    }
    let left = try machines()
    _ = try there.serve()
    let deadline = ContinuousClock.now + .seconds(120)
    while try machines().count >= left.count, ContinuousClock.now < deadline {
      try await Task.sleep(for: .milliseconds(50))
    }
    #expect(try machines().isEmpty && !left.isEmpty, "\(left)")
    for someone in [here, there] { #expect(try someone.run("check").status == 0) }
    _ = try there.endService()
    _ = try here.endService()
  }

  @Test("One that was alone keeps its servers when others join, once its host has a name")
  func join() async throws {
    let database = try await TestPostgreSQL.Database(empty: ())
    let alone = try Operator(["VPSD_DATABASE": database.url])
    let customer = try Customer(of: alone, try alone.serve())
    let server = try await customer.makeServer("web-1")
    try await customer.eventually("/servers/\(server)/") { try $0.json["status"] as? String == "active" }
    #expect(try alone.run("host", "rename", "local", "node1").errors.contains("stop it first"))
    _ = try alone.endService()
    let own = ["VPSD_HOST_NAME": "node1", "VPSD_HOST_URL": "http://127.0.0.1:1"]
    let refused = try alone.run(["serve"], with: own)
    #expect(refused.status == 4 && refused.errors.contains("vpsd host rename local NAME"), "\(refused.all)")
    #expect(try alone.run("host", "rename", "local", "node1").status == 0)
    #expect(try alone.run("host", "rename", "local", "node2").status == 3)
    let named = try Operator(own.merging(["VPSD_DATABASE": database.url, "VPSD_DATA_DIR": alone.data]) { $1 })
    let again = try Customer(of: alone, try named.serve(), token: customer.token)
    expectEqual(try await again.send("POST", "/servers/\(server)/stop/").status, 200)
    try await again.eventually("/servers/\(server)/") { try $0.json["status"] as? String == "stopped" }
    _ = try named.endService()
  }
}
