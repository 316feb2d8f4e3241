import Core
import Foundation
import Testing

@testable import vpsd

@Suite("A host of its own, as it is configured")
struct OwnHostConfigurationTests {
  @Test("A service with a host of its own has no other, and of the pools only those of its servers")
  func whole() async throws {
    let text = """
      database: postgresql://vpsd@db.example.com/vpsd
      network: routed
      host_name: node1
      host_location: us-west
      host_url: https://node1.example.com/
      address_pool6: 2001:db8:10::/56
      locations:
        us-west: {address_pool: 203.0.113.0/26}
        us-east: {address_pool: 203.0.113.64/26, address_pool6: 2001:db8:20::/56}
      """
    try await withFile(text) { loader async throws in
      let configuration = try loader.load().configuration
      let own = HostDeclaration(
        name: "node1", location: "us-west", driver: "libvirt", url: "https://node1.example.com")
      #expect(configuration.hosts(servingLocations: ["us-west", "us-east"], hasLocalServers: false) == [own])
      #expect(configuration.sharesDatabase && !configuration.sharesHosts)
      #expect(configuration.addressPoolsHere == [AddressPool("203.0.113.0/26")])
      #expect(configuration.addressPools6Here == [IPv6Pool("2001:db8:10::/56")])
      #expect(configuration.addressPools["us-east"].ipv4 == AddressPool("203.0.113.64/26"))
    }
  }

  @Test(
    "A service with a host of its own is told what it lacks, and what it cannot have",
    arguments: [
      ("host_location: us-west", ["1: host_location: it is for a service with a host_name"]),
      ("host_url: http://a", ["1: host_url: it is for a service with a host_name"]),
      (
        "host_name: a\ndriver: simulated",
        ["1: host_name: it is for several services on one database", "host_url: a service with a host_name needs it"]
      ),
      (
        "host_name: a\nhost_url: http://a\ndatabase: postgresql://a/b\nsimulated_dir: /c\ndriver: simulated",
        ["4: simulated_dir: hosts are shared by all services"]
      ),
      (
        "host_name: a\nhost_url: http://a\ndatabase: postgresql://a/b",
        ["network: other machines do not reach the loopback addresses"]
      ),
      (
        "host_name: a\nhost_url: http://a\ndatabase: postgresql://a/b\nnetwork: routed\naddress_pool: 203.0.113.0/26",
        ["host_location: a pool is routed to one machine"]
      ),
      (
        "host_name: a\nhost_url: http://a\ndatabase: postgresql://a/b\ndriver: simulated\nlocations:\n  b: {driver: simulated}",
        ["1: host_name: the location b has hosts that belong to no machine"]
      ),
    ])
  func faults(_ text: String, _ messages: [String]) async throws {
    try await withFile(text) { loader in
      let error = #expect(throws: ConfigurationError.self) { try loader.load() }
      for message in messages {
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
      }
      #expect(error?.problems.count == messages.count, "\(error?.description ?? "")")
    }
  }
}
