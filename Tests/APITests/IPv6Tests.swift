import Core
import Foundation
import HTTPTypes
import SQLStore
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

  @Test(
    "A server of a pool of single addresses shows all of its own, the first of each family alone too, and no network")
  func single() async throws {
    let api = TestAPI(try await TestService(addressPool6: IPv6Pool("2001:db8:10::/64")))
    let id = try await api.activeServer(name: "web")
    for family in ServerAddress.Family.allCases {
      _ = try await api.service.database.addAddress(
        .next(family), to: ID(Int64(id)), pools: api.service.pools, limit: 16, at: api.service.clock.now)
    }
    let shown = try await api.send(.get, "/servers/\(id)/").json
    #expect(shown["ip_address"] as? String == "127.80.0.1")
    #expect(shown["ipv4_addresses"] as? [String] == ["127.80.0.1", "127.80.0.2"])
    #expect(shown["ipv6_address"] as? String == "2001:db8:10::1")
    #expect(shown["ipv6_addresses"] as? [String] == ["2001:db8:10::1", "2001:db8:10::2"])
    #expect(shown["ipv6_network"] is NSNull)
  }
}
