import Core
import Foundation
import Testing

@testable import HostNetwork

@Suite("What a server's card and firewall are in the host's words")
struct RulesetTests {
  private let interface = RoutedInterface(
    hardwareAddress: HardwareAddress("56:0a:1b:2c:3d:4e")!, addresses: [IPv4Address("203.0.113.10")!],
    ipv6Networks: [IPv6Network("2001:db8:1:10::/64")!], firewall: .disabled)

  @Test("The tap is named after the card, and the next hop is the guest's own link-local address")
  func names() {
    #expect(interface.tap == "vpsd0a1b2c3d4e")
    #expect(interface.linkLocalAddress == "fe80::540a:1bff:fe2c:3d4e")
    let other = RoutedInterface(
      hardwareAddress: HardwareAddress("56:00:00:00:00:01")!, addresses: [], ipv6Networks: [], firewall: .disabled)
    #expect(other.linkLocalAddress == "fe80::5400:ff:fe00:1")
  }

  @Test("What is written beside a server's files is read back as it was, and nothing else is read")
  func file() throws {
    var interface = interface
    interface.firewall = Firewall(isEnabled: true, rules: [try FirewallRule(.inbound, .tcp, ports: "22")])
    let data = try JSONEncoder().encode(interface)
    #expect(try JSONDecoder().decode(RoutedInterface.self, from: data) == interface)
    let broken = String(decoding: data, as: UTF8.self).replacing("203.0.113.10", with: "203.0.113.10; drop")
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(RoutedInterface.self, from: Data(broken.utf8)) }
    // As it was written before there were others than taps.
    #expect(!String(decoding: data, as: UTF8.self).contains("link"))
    interface.link = .pair
    let paired = try JSONEncoder().encode(interface)
    #expect(try JSONDecoder().decode(RoutedInterface.self, from: paired) == interface)
    let unknown = String(decoding: paired, as: UTF8.self).replacing("pair", with: "string")
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(RoutedInterface.self, from: Data(unknown.utf8)) }
  }

  @Test(
    "A firewall that is off lets everything through; one without rules for what goes out holds back what comes in only")
  func directions() throws {
    #expect(FirewallRules(.disabled).inbound == ["accept"])
    #expect(FirewallRules(.disabled).outbound == ["accept"])
    let closed = FirewallRules(Firewall(isEnabled: true, rules: []))
    #expect(closed.inbound == ["drop"])
    #expect(closed.outbound == ["accept"])
    let named = try FirewallRule(.outbound, .udp, ports: "53", networks: ["2001:db8::/32"])
    let rules = FirewallRules(Firewall(isEnabled: true, rules: [named]))
    #expect(rules.outbound == ["ip6 daddr { 2001:db8::/32 } udp dport 53 accept", "drop"])
    #expect(rules.inbound == ["drop"])
  }

  @Test("Rules are in the words of nftables, a line for each family")
  func words() throws {
    func lines(
      _ traffic: IPProtocol, _ ports: String? = nil, _ networks: [String] = []
    ) throws -> [String] {
      let rule = try FirewallRule(.inbound, traffic, ports: ports, networks: networks)
      return FirewallRules(Firewall(isEnabled: true, rules: [rule])).inbound.dropLast()
    }
    #expect(try lines(.tcp, "80-85") == ["tcp dport 80-85 accept"])
    #expect(try lines(.tcp, "any") == ["meta l4proto tcp accept"])
    #expect(try lines(.icmp) == ["meta l4proto { icmp, ipv6-icmp } accept"])
    #expect(
      try lines(.gre, nil, ["203.0.113.0/24", "203.0.113.7/32", "2001:db8::/32", "198.51.100.9/32"]) == [
        "ip saddr { 203.0.113.0/24, 198.51.100.9/32 } meta l4proto gre accept",
        "ip6 saddr { 2001:db8::/32 } meta l4proto gre accept",
      ])
    #expect(
      try lines(.udp, "53", ["0.0.0.0/0", "::/0", "10.0.0.0/8"]) == [
        "meta nfproto ipv4 udp dport 53 accept", "meta nfproto ipv6 udp dport 53 accept",
      ])
  }

  @Test("A change of a server's addresses and of its mail is these alone: its chains and counters stay")
  func addressChange() {
    func interface(_ addresses: [String], _ networks: [String], mayMail: Bool = false) -> RoutedInterface {
      RoutedInterface(
        hardwareAddress: self.interface.hardwareAddress, addresses: addresses.compactMap { IPv4Address($0) },
        ipv6Networks: networks.compactMap { IPv6Network(given: $0) }, firewall: .disabled, mayMail: mayMail)
    }
    let (old, new) = (
      interface(["203.0.113.10"], ["2001:db8:1:10::/64"]),
      interface(["203.0.113.11", "203.0.113.10"], ["2001:db8::5"], mayMail: true)
    )
    let card = "\"vpsd0a1b2c3d4e\" . 56:0a:1b:2c:3d:4e"
    #expect(
      ServerRules(isBridged: false).change(from: old, to: new).split(separator: "\n").sorted() == [
        "add element arp vpsd source4 { \(card) . 203.0.113.11 }", "add element inet vpsd address4 { 203.0.113.11 }",
        "add element inet vpsd address6 { 2001:db8::5 }", "add element inet vpsd mailers { \"vpsd0a1b2c3d4e\" }",
        "add element inet vpsd source4 { \(card) . 203.0.113.11 }",
        "add element inet vpsd source6 { \(card) . 2001:db8::5 }",
        "delete element inet vpsd address6 { 2001:db8:1:10::/64 }",
        "delete element inet vpsd source6 { \(card) . 2001:db8:1:10::/64 }",
      ])
    #expect(ServerRules(isBridged: false).change(from: old, to: old) == "")
  }

  @Test("An address that lies in a network of another server is in the set with it once: nftables takes no other")
  func overlap() throws {
    let settings = HostNetworkSettings(
      uplink: "eth0", mtu: 1500, pools: [try #require(AddressPool("203.0.113.0/26"))], ipv6Pools: [], nameServers: [])
    let other = RoutedInterface(
      hardwareAddress: HardwareAddress(number: 0x56_0000_0000_01), addresses: [],
      ipv6Networks: try ["2001:db8:1:10::7", "2001:db8:2::7"].map { try #require(IPv6Network(given: $0)) },
      firewall: .disabled)
    let text = Ruleset(settings: settings, mark: "m", interfaces: [interface, other]).transaction(existing: nil)
    #expect(text.contains("add element inet vpsd address6 { 2001:db8:1:10::/64, 2001:db8:2::7 }"))
  }

  @Test("A pool is as few networks as it can be, with its edges and without what is reserved")
  func pools() throws {
    #expect(AddressPool("203.0.113.0/26")?.networks == ["203.0.113.0/26"])
    #expect(
      AddressPool(["203.0.113.0/29"], reserved: ["203.0.113.1"])?.networks == [
        "203.0.113.0/32", "203.0.113.2/31", "203.0.113.4/30",
      ])
    let settings = HostNetworkSettings(
      uplink: "eth0", mtu: 1500, pools: [try #require(AddressPool(["10.77.0.0/16", "203.0.113.0/26"]))], ipv6Pools: [],
      nameServers: [])
    #expect(settings.privateNetworks == ["10.77.0.0/16"])
    #expect(IPv6Pool("fd00:1::/56")?.isPrivate == true)
    #expect(IPv6Pool("2001:db8::/56")?.isPrivate == false)
  }
}
