import Core
import Foundation
import HTTPTypes
import TestSupport
import Testing

@Suite("A location with IPv6")
struct IPv6Tests {
  @Test("A server shows its network and its address of it as soon as it has its machine, and keeps them")
  func shown() async throws {
    let api = TestAPI(try await TestService(addressPool6: IPv6Pool("2001:db8:10::/56")))
    let id = try await api.createServer()
    let provisioning = try await api.send(.get, "/servers/\(id)/").json
    #expect(provisioning["ipv6_address"] is NSNull)
    #expect(provisioning["ipv6_addresses"] as? [String] == [])
    #expect(provisioning["ipv6_network"] is NSNull)
    let other = try await api.activeServer(name: "web-2")
    let active = try await api.send(.get, "/servers/\(id)/").json
    #expect(active["ipv6_address"] as? String == "2001:db8:10:1::1")
    #expect(active["ipv6_addresses"] as? [String] == ["2001:db8:10:1::1"])
    #expect(active["ipv6_network"] as? String == "2001:db8:10:1::/64")
    #expect(try await api.send(.get, "/servers/\(other)/").json["ipv6_network"] as? String == "2001:db8:10:2::/64")
  }
}
