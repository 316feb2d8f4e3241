import Foundation
import TestSupport
import Testing

/// Through the program, as it is built, with simulated hosts and a fence of the operator's own.
@Suite("A location whose hosts reach the same disks loses one of them")
struct SharedStorageServiceTests {
  private func host(_ name: String, _ someone: Operator, _ configuration: [String]) throws -> [String: Any] {
    let hosts = try someone.run(["host", "list", "--json"] + configuration).objects
    return try #require(hosts.first { $0["name"] as? String == name })
  }

  @Test("Its servers start on the other one once the command has switched it off, and it comes back empty")
  func lost() async throws {
    let someone = try Operator(["VPSD_LOG_LEVEL": "notice"])
    let folder = someone.folder.url
    let fence = folder.appendingPathComponent("fence")
    // It fails at first, and says why.
    let script = """
      #!/bin/sh
      if [ ! -e '\(folder.path)/works' ]; then touch '\(folder.path)/works'; echo no current; exit 1; fi
      touch '\(someone.data)/hosts/'"$1"/off
      """
    try script.write(to: fence, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: fence.path)
    let file = folder.appendingPathComponent("vpsd.yaml")
    let section = "driver: simulated, hosts: 2, shared_storage: true, fence_after_seconds: 10"
    try "locations:\n  us-west: {\(section), fence_command: \(fence.path)}\n".write(
      to: file, atomically: true, encoding: .utf8)
    let configuration = ["--config", file.path]
    let customer = try Customer(of: someone, try someone.serve("--config", file.path))
    var servers: [Int] = []
    for name in ["a", "b", "c"] { servers.append(try await customer.makeServer(name)) }
    for server in servers {
      try await customer.eventually("/servers/\(server)/") { try $0.json["status"] as? String == "active" }
    }
    let address = try await customer.send("GET", "/servers/\(servers[0])/").json["ip_address"] as? String
    #expect(try host("us-west/1", someone, configuration)["servers"] as? Int == 2)

    let signs = ["away", "off"].map { URL(fileURLWithPath: "\(someone.data)/hosts/us-west/1/\($0)") }
    try Data().write(to: signs[0])
    // Half a minute until it is away, and it is switched off at the second try. Then its servers run elsewhere.
    try await customer.eventually("/servers/\(servers[0])/operations/", within: .seconds(180)) {
      $0.text.contains(#""kind":"move","status":"succeeded""#)
    }
    for server in servers {
      try await customer.eventually("/servers/\(server)/") {
        try $0.json["status"] as? String == "active" && $0.json["status_reason"] is NSNull
      }
    }
    let lost = try host("us-west/1", someone, configuration)
    #expect(lost["state"] as? String == "fenced" && lost["servers"] as? Int == 0 && lost["fence_failure"] is NSNull)
    #expect(try host("us-west/2", someone, configuration)["servers"] as? Int == 3)
    expectEqual(try await customer.send("GET", "/servers/\(servers[0])/").json["ip_address"] as? String, address)

    for sign in signs { try FileManager.default.removeItem(at: sign) }
    try await customer.eventually("/servers/\(servers[1])/") { _ in
      try host("us-west/1", someone, configuration)["state"] as? String == "draining"
    }
    #expect(try someone.run(["host", "undrain", "us-west/1"] + configuration).status == 0)
    #expect(try host("us-west/1", someone, configuration)["state"] as? String == "active")
    for server in servers {
      expectEqual(try await customer.send("GET", "/servers/\(server)/").json["status"] as? String, "active")
    }
    #expect(try someone.run(["check"] + configuration).status == 0)
    let log = try someone.endService()
    #expect(log.contains("no current") && log.contains("the host is off: its servers go to others"))
  }
}
