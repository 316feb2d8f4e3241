import Core
import Foundation
import HostNetwork
import Testing

@testable import vpsd

@Suite("A location on an Incus, as it is configured")
struct IncusConfigurationTests {
  @Test("By its socket or its URL: all that was said is read, and written again")
  func whole() async throws {
    let text = """
      network: routed
      address_pool: 203.0.113.0/24
      address_pool6: 2001:db8:10::/56
      locations:
        eu-1:
          driver: incus
          instance_type: container
          url: https://127.0.0.1
          client_certificate: eu-1.crt
          client_key: /etc/vpsd/eu-1.key
          server_certificate: /etc/vpsd/eu-1-server.crt
          project: vps
          storage_pool: fast
          member: m1
          address_pool: 127.91.0.0/16
        eu-2: {driver: incus, instance_type: container, socket: /run/incus.socket, address_pool: 127.90.0.0/16}

      """
    try await withFile(text) { loader in
      let configuration = try loader.load().configuration
      let first = try #require(configuration.locations["eu-1"]).incus
      #expect(
        first.url?.description == "https://127.0.0.1:8443" && first.clientCertificate?.hasSuffix("/eu-1.crt") == true)
      #expect(first.project == "vps" && first.storagePool == "fast" && first.member == "m1")
      let second = try #require(configuration.locations["eu-2"])
      #expect(second.incus.socket == "/run/incus.socket" && second.incus.project == "default")
      let hosts = configuration.hosts(servingLocations: ["eu-1", "eu-2"], hasLocalServers: false)
      #expect(hosts.map(\.name) == ["eu-1/1", "eu-2/1"] && hosts.allSatisfy { $0.driver == "incus" })
      // What is routed to this machine is not routed to containers.
      #expect(configuration.addressPools["eu-2"].ipv6 == nil && configuration.addressPools["us-west"].ipv6 != nil)
      try await withFile(configuration.yaml()) { loader async throws in
        #expect(try loader.load().configuration == configuration)
      }
    }
  }

  @Test("With network: routed its containers have addresses of this host's pools, beside machines that have, or alone")
  func routed() async throws {
    let section = "eu-1: {driver: incus, instance_type: container, network: routed, socket: /run/incus.socket"
    let pools = "address_pool: 203.0.113.64/26, address_pool6: '2001:db8:20::/56'}"
    try await withFile("bandwidth_overage: price\nlocations:\n  \(section), \(pools)\n") { loader in
      let configuration = try loader.load().configuration
      let network = try #require(try configuration.hostNetwork())
      #expect(network.pools.map(\.description) == ["203.0.113.64/26"] && network.bridge == nil)
      #expect(network.ipv6Pools.map(\.description) == ["2001:db8:20::/56"])
      #expect(configuration.addressPools["eu-1"].ipv6 != nil && configuration.addressPools["us-west"].ipv6 == nil)
      try await withFile(configuration.yaml()) { loader async throws in
        #expect(try loader.load().configuration == configuration)
      }
    }
    let machines = "network: routed\naddress_pool: 203.0.113.0/26\naddress_pool6: '2001:db8:10::/56'\n"
    try await withFile("\(machines)locations:\n  \(section)}\n") { loader in
      let configuration = try loader.load().configuration
      #expect(try configuration.hostNetwork()?.pools.map(\.description) == ["203.0.113.0/26"])
      #expect(configuration.addressPools["eu-1"].ipv6 != nil)
    }
    try await withFile("\(machines)locations:\n  \(section), \(pools)\n") { loader in
      let network = try loader.load().configuration.hostNetwork()
      #expect(network?.pools.map(\.description) == ["203.0.113.0/26", "203.0.113.64/26"])
      #expect(network?.ipv6Pools.map(\.description) == ["2001:db8:10::/56", "2001:db8:20::/56"])
    }
  }

  private static let cluster = """
    driver: incus, instance_type: container, client_certificate: /c, client_key: /k, server_certificate: /s, \
    address_pool: 127.90.0.0/16
    """

  @Test("Members are hosts called after themselves, and the cluster is asked at any of its URLs")
  func members() async throws {
    let text = "eu-1: {\(Self.cluster), members: [m1, m.2], urls: ['https://127.0.1.1', 'https://127.0.1.2:9443']}"
    try await withFile("locations:\n  \(text)\n") { loader in
      let configuration = try loader.load().configuration
      let incus = try #require(configuration.locations["eu-1"]).incus
      #expect(incus.urls.map(\.description) == ["https://127.0.1.1:8443", "https://127.0.1.2:9443"])
      let hosts = configuration.hosts(servingLocations: ["eu-1"], hasLocalServers: false)
      #expect(hosts.map(\.name) == ["eu-1/m1", "eu-1/m.2"] && hosts.allSatisfy { $0.location == "eu-1" })
      #expect(incus.member(ofHost: "eu-1/m.2") == "m.2" && incus.member(ofHost: "eu-1/2") == nil)
      try await withFile(configuration.yaml()) { loader async throws in
        #expect(try loader.load().configuration == configuration)
      }
    }
  }

  @Test("A location that names its members does not begin while its servers are those of its one host")
  func renamed() throws {
    func load(_ name: String, _ count: Int, _ driver: String = "incus") -> HostLoad {
      HostLoad(
        host: Host(
          id: ID(1), name: name, location: "eu-1", driver: driver, capacity: nil, isConfigured: true, isDraining: false,
          awaySince: nil), reserved: HostCapacity(vcpus: 0, memoryMiB: 0, storageGiB: 0), serverCount: count)
    }
    let declared = ["eu-1/m1", "eu-1/m2"].map { HostDeclaration(name: $0, location: "eu-1", driver: "incus") }
    do {
      try HostedFleet.requireRenamed(declared, among: [load("eu-1/1", 3)])
      Issue.record("it was taken")
    } catch let error as HostRefused {
      #expect(error.description.contains("vpsd host rename eu-1/1 eu-1/m1"))
    }
    for harmless in [load("eu-1/1", 0), load("eu-1/m1", 3), load("eu-1/m3", 3), load("eu-1/1", 3, "simulated")] {
      try HostedFleet.requireRenamed(declared, among: [harmless])
    }
  }

  @Test("Several services share one by its URLs, and none by a socket, which asks nobody for a certificate")
  func shared() async throws {
    let others = "driver: simulated\ndatabase: postgresql://db/vpsd\nsimulated_dir: /srv/vpsd\n"
    try await withFile("\(others)locations:\n  eu-1: {\(Self.cluster), members: [m1], url: 'https://127.0.0.1'}\n") {
      loader async throws in
      #expect(try loader.load().configuration.sharesHosts)
    }
    try await withFile("\(others)locations:\n  eu-1: {\(Self.good), address_pool: 127.90.0.0/16}\n") {
      loader async throws in
      let error = #expect(throws: ConfigurationError.self) { try loader.load() }
      #expect(error?.problems.map(\.key) == ["locations.eu-1.socket"])
    }
  }

  private static let good = "driver: incus, instance_type: container, socket: /run/incus.socket"

  @Test(
    "What could not be, or what nobody would keep, is refused with the key and the reason",
    arguments: [
      ("eu-1: {driver: incus, socket: /run/s}", "instance_type", "say container"),
      ("eu-1: {driver: incus, instance_type: virtual-machine, socket: /run/s}", "instance_type", "container"),
      ("eu-1: {driver: incus, instance_type: container}", "driver", "needs url"),
      ("eu-1: {\(good), url: 'https://127.0.0.1'}", "socket", "not at both"),
      ("eu-1: {\(good), client_key: /k}", "client_key", "it is for url"),
      ("eu-1: {driver: incus, instance_type: container, url: 'https://127.0.0.1'}", "client_certificate", "needed"),
      ("eu-1: {driver: incus, instance_type: container, url: 'http://127.0.0.1'}", "url", "https URL"),
      (
        "eu-1: {driver: incus, instance_type: container, url: 'https://10.0.0.5', client_certificate: /c, client_key: /k, server_certificate: /s}",
        "url", "this machine"
      ),
      ("eu-1: {\(good), hosts: 2}", "hosts", "members"),
      ("eu-1: {\(good), member: m1, members: [m1, m2]}", "member", "one of members"),
      ("eu-1: {\(good), members: [m1, m1]}", "members", "different names"),
      ("eu-1: {\(good), members: [m1, 'm/2']}", "members", "different names"),
      ("eu-1: {\(good), members: []}", "members", "a list of 1 to 50"),
      ("eu-1: {\(cluster), url: 'https://127.0.0.1', urls: ['https://127.0.0.1']}", "url", "one of urls"),
      ("eu-1: {\(cluster), urls: ['https://127.0.0.1', 'https://10.0.0.5']}", "urls", "this machine"),
      ("eu-1: {\(good), urls: ['https://127.0.0.1']}", "socket", "not at both"),
      ("eu-1: {\(good), members: [m1, m2]}\n  eu-2: {\(good), members: [m2]}", "driver", "eu-1 is the same project"),
      ("eu-1: {\(good), address_pool: 203.0.113.0/24}", "address_pool", "127.0.0.0/8"),
      ("eu-1: {\(good), address_pool6: '2001:db8::/56'}", "address_pool6", "no IPv6"),
      ("eu-1: {\(good)}\n  eu-2: {\(good)}", "driver", "eu-1 is the same project"),
      ("eu-1: {\(good)}\nbandwidth_overage: price", "driver", "traffic has to be counted"),
      ("eu-1: {\(good), network: bridge}", "network", "one of loopback, routed"),
      ("eu-1: {\(good), network: routed}", "address_pool", "give its servers others"),
      (
        "eu-1: {\(good), network: routed, members: [m1, m2], address_pool: 203.0.113.0/24}", "members",
        "the one that is this machine"
      ),
      (
        "eu-1: {driver: incus, instance_type: container, network: routed, url: 'https://127.0.0.1', client_certificate: /c, client_key: /k, server_certificate: /s, address_pool: 203.0.113.0/24}",
        "network", "give its socket"
      ),
      (
        "eu-1: {\(good), network: routed, address_pool: 203.0.113.0/26}\nnetwork: bridge\nbridge: br0", "network",
        "ports of a bridge"
      ),
      ("eu-1: {driver: simulated, network: routed}", "network", "driver: incus"),
      ("eu-1: {driver: simulated, member: m1}", "member", "driver: incus"),
      ("eu-1: {socket: /run/s}", "socket", "driver: incus"),
      ("eu-1: {driver: lxd}", "driver", "one of simulated, incus"),
    ])
  func refused(_ section: String, _ key: String, _ words: String) async throws {
    try await withFile("locations:\n  \(section)\n") { loader async throws in
      do throws(ConfigurationError) {
        _ = try loader.load()
        Issue.record("it was taken")
      } catch {
        let found = error.problems.filter { $0.key?.hasSuffix(".\(key)") == true && $0.message.contains(words) }
        #expect(!found.isEmpty, "\(error.problems)")
      }
    }
  }
}
