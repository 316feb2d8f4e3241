import Core
import Foundation
import HTTPTypes
import SimulatedDriver
import TestSupport
import Testing

@Suite("Where a server is reached")
struct ServerPortTests {
  private func shown(_ id: Int, _ api: TestAPI) async throws -> [String: Any] {
    try await api.send(.get, "/servers/\(id)/").json
  }

  private func listed(_ id: Int, _ api: TestAPI) async throws -> [String: Any] {
    let results = try await api.send(.get, "/servers/").json["results"] as? [[String: Any]]
    return try #require(results?.first { $0["id"] as? Int == id })
  }

  @Test("Its ssh_port is the one that its machine was started with, and another one from its next start on")
  func sshPort() async throws {
    let api = try await TestAPI.make()
    let first = try await api.activeServer(name: "first")
    #expect(try await shown(first, api)["ssh_port"] as? Int == 22)
    api.service.driver.configure { $0.sshPort = 2222 }
    #expect(try await shown(first, api)["ssh_port"] as? Int == 22)
    let second = try await api.createServer(name: "second")
    #expect(try await shown(second, api)["ssh_port"] as? Int == 2222)
    try await api.service.settle()
    #expect(try await shown(second, api)["ssh_port"] as? Int == 2222)
    #expect(try await listed(second, api)["ssh_port"] as? Int == 2222)
    #expect(try await listed(first, api)["ssh_port"] as? Int == 22)
    // The host does not answer, and tells nothing else meanwhile.
    api.service.driver.configure { $0.condition = .isDead }
    #expect(try await shown(first, api)["ssh_port"] as? Int == 22)
    api.service.driver.configure { $0.condition = .answers }
    #expect(try await api.send(.post, "/servers/\(first)/reboot/").status == 200)
    try await api.service.settle()
    #expect(try await shown(first, api)["ssh_port"] as? Int == 2222)
  }

  @Test("That a program of the host has taken ports of it is told as its status_reason, until they are free again")
  func lostPorts() async throws {
    let api = try await TestAPI.make()
    let id = try await api.activeServer()
    #expect(try await shown(id, api)["status_reason"] is NSNull)
    api.service.driver.configure { $0.takenPorts = [22] }
    let reason =
      "Connections to port 22 of this server's address do not reach it at the moment: another program of its host has it."
    #expect(try await shown(id, api)["status_reason"] as? String == reason)
    #expect(try await shown(id, api)["status"] as? String == "active")
    #expect(try await listed(id, api)["status_reason"] as? String == reason)
    api.service.driver.configure { $0.takenPorts = [443, 80] }
    #expect(
      try await shown(id, api)["status_reason"] as? String
        == "Connections to ports 80, 443 of this server's address do not reach it at the moment: other programs of its host have them."
    )
    // It has no port while it is off.
    #expect(try await api.send(.post, "/servers/\(id)/stop/").status == 200)
    try await api.service.settle()
    #expect(try await shown(id, api)["status_reason"] is NSNull)
    #expect(try await api.send(.post, "/servers/\(id)/start/").status == 200)
    try await api.service.settle()
    #expect(try await shown(id, api)["status_reason"] is String)
    api.service.driver.configure { $0.takenPorts = [] }
    #expect(try await shown(id, api)["status_reason"] is NSNull)
  }

  @Test("Where ports of the host lead to it, those of its own machine are told, and none before it has one")
  func forwarding() async throws {
    let api = try await TestAPI.make()
    api.service.driver.configure { options in
      options.forwarding = PortForwarding(
        address: IPv4Address("198.51.100.2"), range: 20_000...20_999, guestPorts: [22, 80],
        servers: [IPv4Address("127.80.0.1")!...IPv4Address("127.80.0.99")!])
    }
    let ids = [try await api.createServer(name: "first"), try await api.createServer(name: "second")]
    #expect(try await shown(ids[0], api)["ip_address"] is NSNull)
    #expect(try await shown(ids[0], api)["forwarded_ports"] as? [[String: Int]] == [])
    try await api.service.settle()
    for (id, first) in zip(ids, [20_000, 20_002]) {
      let server = try await shown(id, api)
      #expect(server["ip_address"] as? String == "198.51.100.2" && server["ssh_port"] as? Int == first)
      #expect(
        server["forwarded_ports"] as? [[String: Int]]
          == [["port": first, "server_port": 22], ["port": first + 1, "server_port": 80]])
    }
  }
}
