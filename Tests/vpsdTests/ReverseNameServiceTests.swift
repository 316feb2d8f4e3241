import Foundation
import TestSupport
import Testing

/// Through the program, as it is built, and a real DNS server.
@Suite("Reverse DNS of the service")
struct ReverseNameServiceTests {
  private static let zone = "80.127.in-addr.arpa"

  private static func settings(_ server: TestNameServer) -> [String: String] {
    [
      "VPSD_RDNS_SERVER": "127.0.0.1:\(server.port)", "VPSD_RDNS_KEY_FILE": server.keyFile,
      "VPSD_RDNS_PATTERN": "<address>.vps.example.com",
    ]
  }

  /// Within what it takes to be said.
  private func expect(_ name: String, of address: String, at server: TestNameServer) async throws {
    let deadline = ContinuousClock.now + .seconds(120)
    while try await server.name(of: address) != name, ContinuousClock.now < deadline {
      try await Task.sleep(for: .milliseconds(50))
    }
    let found = try await server.name(of: address)
    #expect(found == name)
  }

  @Test("A server's name is there from its create to its delete and after it, whoever dies meanwhile")
  func life() async throws {
    let server = try await TestNameServer(.knot, zones: [Self.zone: ""])
    let someone = try Operator(Self.settings(server))
    var customer = try Customer(of: someone, someone.serve())
    let id = try await customer.makeServer("web-1")
    try await customer.eventually("/servers/\(id)/") { try $0.json["status"] as? String == "active" }
    let standard = "127-80-0-1.vps.example.com"
    try await expect("\(standard).", of: "127.80.0.1", at: server)
    func change(_ name: String) async throws {
      let reply = try await customer.send(
        "PUT", "/servers/\(id)/rdns/", #"{"ip_address":"127.80.0.1","ptr":"\#(name)"}"#)
      #expect(reply.status == 200 && reply.text == #"{"ip_address":"127.80.0.1","ptr":"\#(name)"}"#)
    }
    try await change("first.example.com")
    try await expect("first.example.com.", of: "127.80.0.1", at: server)
    server.kill()
    try await change("second.example.com")
    try await someone.whenLogged("the DNS server is away")
    someone.killService()
    try await server.start()
    customer = try Customer(of: someone, someone.serve(), token: customer.token)
    try await expect("second.example.com.", of: "127.80.0.1", at: server)
    expectEqual(try await customer.send("DELETE", "/servers/\(id)/").status, 204)
    try await expect("\(standard).", of: "127.80.0.1", at: server)
    #expect(try !someone.endService().contains("secret"))
  }

  @Test("An operator is told which names are refused and why, what is in the way, and has them said again")
  func refusedNames() async throws {
    let server = try await TestNameServer(.knot, zones: ["2.0.192.in-addr.arpa": ""])
    let someone = try Operator(Self.settings(server))
    try someone.makeInstallation()
    func troubles(_ more: [String: String] = [:]) throws -> [String] {
      try someone.run(["doctor", "--json"], with: more).objects.filter { $0["area"] as? String == "rdns" }
        .compactMap { $0["finding"] as? String }
    }
    let place = "the DNS server 127.0.0.1:\(server.port) of"
    func expectTrouble(_ found: [String], _ words: String) {
      // Locations that have the same are told together.
      #expect(found.count == 1 && found[0].hasPrefix(place) && found[0].contains("us-west"), "\(found)")
      #expect(found.first?.contains(words) == true, "\(found)")
    }
    expectTrouble(try troubles(), "has no zone for 1.0.80.127.in-addr.arpa, nor for ")
    let pool = ["VPSD_ADDRESS_POOL": "192.0.2.0/26"]
    #expect(try troubles(pool) == [])
    let wrongKey = pool.merging(["VPSD_RDNS_KEY_FILE": server.wrongKeyFile]) { $1 }
    expectTrouble(try troubles(wrongKey), "does not accept the key in \(server.wrongKeyFile)")
    let missing = try troubles(["VPSD_RDNS_KEY_FILE": "/nowhere"])
    #expect(missing.count == 1 && missing[0].contains(/rdns.key_file: .*cannot be read/), "\(missing)")

    let customer = try Customer(of: someone, someone.serve())
    let id = try await customer.makeServer("web-1")
    func listed() throws -> [[String: Any]] { try someone.run("rdns", "list", "--refused", "--json").objects }
    let deadline = ContinuousClock.now + .seconds(120)
    while try listed().isEmpty, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(100)) }
    let name = try #require(try listed().first)
    #expect(name["address"] as? String == "127.80.0.1" && name["server_id"] as? Int == id && name["ptr"] is NSNull)
    #expect(name["location"] as? String == "us-west" && name["since"] is String && name["next_at"] is String)
    let reason = "127.0.0.1:\(server.port) has no zone for 1.0.80.127.in-addr.arpa"
    #expect(name["failure"] as? String == reason && name["refusals"] as? Int == 1)
    #expect(try someone.run("rdns", "list").output.contains(reason))
    #expect(try troubles().contains("1 name(s) of addresses at us-west are refused: \(reason)"))
    let again = try someone.run("rdns", "retry")
    #expect(again.status == 0 && again.output == "1 name(s) are said again.\n", "\(again.all)")
    server.kill()
    #expect(try troubles().first?.contains("does not answer: ") == true)
    _ = try someone.endService()
  }

  @Test("The service and `vpsd check` refuse a key that is not there, that others can read, or that is none")
  func refused() throws {
    let folder = try ScopedFolder()
    let key = folder.url.path + "/key"
    let someone = try Operator()
    try someone.makeInstallation()
    let settings = ["VPSD_RDNS_SERVER": "127.0.0.1:1", "VPSD_RDNS_KEY_FILE": key]
    func expectRefusal(_ words: String) throws {
      for command in ["serve", "check"] {
        let result = try someone.run([command], with: settings)
        #expect(result.status != 0 && result.errors.contains(": rdns.key_file: "), "\(command): \(result.all)")
        #expect(result.errors.contains(words), "\(command): \(result.all)")
      }
    }
    try expectRefusal("cannot be read")
    let text = "key \"vpsd\" {\n\talgorithm hmac-sha256;\n\tsecret \"c2VjcmV0\";\n};\n"
    try Data(text.utf8).write(to: URL(fileURLWithPath: key))
    chmod(key, 0o644)
    try expectRefusal("others can read")
    chmod(key, 0o600)
    #expect(try someone.run(["check"], with: settings).status == 0)
    for wrong in ["c2VjcmV0", text + "include \"/etc/passwd\";", "key vpsd { secret \"c2VjcmV0\"; };"] {
      try Data(wrong.utf8).write(to: URL(fileURLWithPath: key))
      try expectRefusal("holds no key")
    }
  }

  @Test("Where none is configured there is none")
  func none() async throws {
    let someone = try Operator()
    let customer = try Customer(of: someone, someone.serve())
    let id = try await customer.makeServer("web-1")
    let reply = try await customer.send("GET", "/servers/\(id)/rdns/")
    #expect(reply.status == 404 && reply.text == #"{"detail":"Reverse DNS is not available at us-west."}"#)
    _ = try someone.endService()
  }
}
