import Core
import TestSupport
import Testing

@testable import vpsd

@Suite("What the keys of a configuration mean beside each other")
struct ConfigurationMeaningTests {
  @Test(
    "Ports of the host are forwarded only where every private server has some, and nobody else needs them",
    arguments: [
      ("loopback", "127.80.0.0/16", "20000-29999", "it is for a routed network"),
      ("bridge", "10.77.0.0/24", "20000-29999", "it is for a routed network"),
      ("routed", "203.0.113.0/26", "20000-29999", "the pools of this host have none"),
      ("routed", "10.77.0.0/24", "20000-20100", "101 ports are enough for 33 servers with 3 forwarded_ports each"),
      ("routed", "10.77.0.0/30", "8000-8100", "the service itself listens at port 8080"),
      ("routed", "10.77.0.0/30", "80-90", "is not none, or a range of ports from 1024 on"),
      ("routed", "10.77.0.0/30", "3000-2000", "is not none, or a range"),
    ])
  func forwarding(network: String, pool: String, range: String, says: String) {
    #expect {
      try ConfigurationTests.load(
        environment: ["VPSD_NETWORK": network, "VPSD_ADDRESS_POOL": pool, "VPSD_FORWARD_RANGE": range])
    } throws: { error in
      "\(error)".contains("forward_range") && "\(error)".contains(says)
    }
  }

  @Test("Nobody is told that servers are slow where none can be")
  func throttle() throws {
    #expect {
      try ConfigurationTests.load(environment: ["VPSD_BANDWIDTH_OVERAGE": "throttle"])
    } throws: { "\($0)".contains("VPSD_BANDWIDTH_OVERAGE") && "\($0)".contains("only servers in a routed network") }
    let routed = [
      "VPSD_NETWORK": "routed", "VPSD_ADDRESS_POOL": "203.0.113.0/26", "VPSD_BANDWIDTH_OVERAGE": "throttle",
    ]
    #expect(try ConfigurationTests.load(environment: routed).tariff.throttleMbit == 10)
    let bridged = routed.merging([
      "VPSD_NETWORK": "bridge", "VPSD_BRIDGE": "br0", "VPSD_BRIDGE_GATEWAYS": "203.0.113.65",
    ]) { $1 }
    #expect(try ConfigurationTests.load(environment: bridged).tariff.throttleMbit == 10)
  }

  @Test("A location has the keys that are its own, and hosts of its own with a driver of its own")
  func locations() async throws {
    let text = """
      address_pool: 127.81.0.0/16
      locations:
        us-west: {}
        us-east:
          address_pool: 127.82.0.0/16
        test: {driver: simulated, hosts: 2, address_pool6: 2001:db8:10::/56}
      """
    try await withFile(text) { loader async throws in
      let configuration = try loader.load().configuration
      #expect(configuration.addressPools["us-west"].ipv4 == AddressPool("127.81.0.0/16"))
      #expect(configuration.addressPools["us-east"].ipv4 == AddressPool("127.82.0.0/16"))
      #expect(configuration.addressPools["test"].ipv4 == AddressPool("127.81.0.0/16"))
      #expect(configuration.addressPools["test"].ipv6 == IPv6Pool("2001:db8:10::/56"))
      #expect(configuration.addressPools["us-west"].ipv6 == nil)
      let own = ["test/1", "test/2"].map { HostDeclaration(name: $0, location: "test", driver: "simulated") }
      let local = HostDeclaration(name: "local", location: nil, driver: "libvirt")
      #expect(
        configuration.hosts(servingLocations: ["us-west", "us-east", "test"], hasLocalServers: false) == [local] + own)
      // Nothing is started on a machine that nobody needs.
      #expect(configuration.hosts(servingLocations: ["test"], hasLocalServers: false) == own)
      #expect(configuration.hosts(servingLocations: ["test"], hasLocalServers: true) == [local] + own)
      try await withFile(configuration.yaml()) { loader async throws in
        #expect(try loader.load().configuration == configuration)
      }
    }
  }

  @Test("Without anything configured, this machine is the only host")
  func oneHost() throws {
    let hosts = try ConfigurationTests.load().hosts(servingLocations: ["us-west", "us-east"], hasLocalServers: false)
    #expect(hosts == [HostDeclaration(name: "local", location: nil, driver: "libvirt")])
  }

  @Test("Nobody is mailed a link to an address that only a request has named")
  func mailedLinks() throws {
    let mail = ["VPSD_NOTIFY_COMMAND": "/usr/sbin/sendmail, -t", "VPSD_NOTIFY_FROM": "noreply@vps.example.com"]
    #expect(try !ConfigurationTests.load(environment: mail).mailsLinks)
    #expect(try !ConfigurationTests.load(environment: ["VPSD_PUBLIC_URL": "https://vps.example.com"]).mailsLinks)
    for (url, panel, mails) in [
      ("https://vps.example.com", "true", true), ("https://vps.example.com/cloud", "true", false),
      ("https://vps.example.com", "false", false),
    ] {
      let more = ["VPSD_PUBLIC_URL": url, "VPSD_PANEL": panel]
      #expect(try ConfigurationTests.load(environment: mail.merging(more) { $1 }).mailsLinks == mails)
    }
  }
}
