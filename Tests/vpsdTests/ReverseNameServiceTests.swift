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
    let deadline = ContinuousClock.now + .seconds(30)
    while try server.name(of: address) != name, ContinuousClock.now < deadline {
      try await Task.sleep(for: .milliseconds(50))
    }
    #expect(try server.name(of: address) == name)
  }

  @Test("A server's name is there from its create to its delete and after it, whoever dies meanwhile")
  func life() async throws {
    let server = try TestNameServer(.knot, zones: [Self.zone: ""])
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
    try server.start()
    customer = try Customer(of: someone, someone.serve(), token: customer.token)
    try await expect("second.example.com.", of: "127.80.0.1", at: server)
    #expect(try await customer.send("DELETE", "/servers/\(id)/").status == 204)
    try await expect("\(standard).", of: "127.80.0.1", at: server)
    #expect(try !someone.endService().contains("secret"))
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
