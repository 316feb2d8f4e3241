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
