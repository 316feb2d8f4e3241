import Core
import Foundation
import Testing

@Suite("Firewalls")
struct FirewallTests {
  @Test("Ports are one, a range or any", arguments: ["1", "22", "65535", "80-85", "1-65535", "any"])
  func ports(text: String) {
    #expect(FirewallPorts(text)?.description == text)
  }

  @Test(
    "What is no port, or is another one written in another way, is refused",
    arguments: [
      "", "0", "65536", "-1", "+22", "022", " 22", "22 ", "80-80", "85-80", "0-80", "80-", "-80", "80-85-90", "80,81",
      "Any", "22\n", "２２", "1e3", String(repeating: "2", count: 1_000_000),
    ])
  func noPorts(text: String) {
    #expect(FirewallPorts(text) == nil)
  }

  @Test(
    "Networks are of either family, and written in one way",
    arguments: [
      ("0.0.0.0/0", "0.0.0.0/0"), ("::/0", "::/0"), ("203.0.113.5/32", "203.0.113.5/32"),
      ("203.0.113.0/24", "203.0.113.0/24"), ("2001:DB8::/32", "2001:db8::/32"),
      ("2001:db8:0:0:0:0:0:1/128", "2001:db8::1/128"), ("fe80::/10", "fe80::/10"),
    ])
  func networks(text: String, canonical: String) throws {
    let rule = try FirewallRule(.inbound, .icmp, networks: [text])
    #expect(rule.networks.map(\.description) == [canonical])
    #expect(rule.networks[0].isIPv4 == text.contains("."))
    #expect("\(rule.networks[0].prefixLength)" == String(canonical.split(separator: "/")[1]))
  }

  @Test(
    "What is no network is refused, and the message says why",
    arguments: [
      ("203.0.113.5/24", "bits set"), ("2001:db8::1/32", "bits set"), ("0.0.0.1/0", "bits set"),
      ("203.0.113.5", "CIDR"), ("2001:db8::1", "CIDR"), ("203.0.113.0/33", "CIDR"), ("2001:db8::/129", "CIDR"),
      ("203.0.113.0/-1", "CIDR"), ("203.0.113.0/", "CIDR"), ("/24", "CIDR"), ("", "CIDR"), ("any", "CIDR"),
      ("203.0.113/24", "CIDR"), ("203.0.113.0/24/24", "CIDR"), ("203.0.113.010/32", "CIDR"),
      ("203.0.113.0/255.255.255.0", "CIDR"), ("fe80::1%eth0/128", "CIDR"), ("[2001:db8::]/32", "CIDR"),
      ("::ffff:203.0.113.5/128", "as such"), ("::ffff:0:0/96", "as such"), ("203.0.113.0/24\n", "CIDR"),
      (String(repeating: "2", count: 1_000_000), "CIDR"),
    ])
  func noNetworks(text: String, message: String) throws {
    let errors = try #require(throws: FirewallRuleErrors.self) {
      try FirewallRule(.inbound, .icmp, networks: ["192.0.2.0/24", text])
    }
    #expect(errors.all.map(\.part) == [.source(1)])
    #expect(errors.all[0].message.contains(message))
  }

  @Test("Everything that is wrong with a rule is told at once")
  func allErrors() throws {
    var draft = FirewallRuleDraft(.outbound, .esp)
    draft.ports = "80"
    draft.sources = ["192.0.2.0/24"]
    draft.destinations = ["192.0.2.0/24", "192.0.2.0/24", "x"]
    draft.description = "two\nlines"
    let errors = try #require(throws: FirewallRuleErrors.self) { try draft.validated() }
    #expect(
      Set(errors.all.map(\.part)) == [.ports, .source(nil), .destination(1), .destination(2), .description])
  }

  @Test("Only tcp and udp have ports, and they must have them", arguments: IPProtocol.allCases)
  func portsOfProtocols(ipProtocol: IPProtocol) throws {
    let good = ipProtocol.hasPorts ? "any" : nil
    let rule = try FirewallRule(.inbound, ipProtocol, ports: good)
    #expect(rule.traffic.ipProtocol == ipProtocol && rule.traffic.ports?.description == good)
    let errors = try #require(throws: FirewallRuleErrors.self) {
      try FirewallRule(.inbound, ipProtocol, ports: good == nil ? "any" : nil)
    }
    #expect(errors.all.map(\.part) == [.ports])
  }

  @Test("A rule names fifty networks at most")
  func manyNetworks() throws {
    let networks = (0...FirewallRule.maximumNetworks).map { "192.0.2.\($0)/32" }
    #expect(try FirewallRule(.outbound, .gre, networks: Array(networks.dropLast())).networks.count == 50)
    let errors = try #require(throws: FirewallRuleErrors.self) {
      try FirewallRule(.outbound, .gre, networks: networks)
    }
    #expect(errors.all.map(\.part) == [.destination(nil)])
  }

  @Test("A rule repeats another one that lets the same through, whatever it is called")
  func repetitions() throws {
    let rules = [
      try FirewallRule(.inbound, .tcp, ports: "22", networks: ["192.0.2.0/24", "::/0"], description: "ssh"),
      try FirewallRule(.inbound, .tcp, ports: "22", networks: ["192.0.2.0/24"]),
      try FirewallRule(.inbound, .udp, ports: "22", networks: ["192.0.2.0/24", "::/0"]),
      try FirewallRule(.inbound, .tcp, ports: "22", networks: ["0::/0", "192.0.2.0/24"], description: "again"),
    ]
    #expect(Firewall(isEnabled: true, rules: rules).repetitions == [3])
  }

  @Test("What is stored is read as it was written, and what was changed by other hands is not read")
  func storage() throws {
    let firewall = Firewall(
      isEnabled: true,
      rules: [
        try FirewallRule(.inbound, .tcp, ports: "80-85", networks: ["2001:db8::/32"], description: "wéb \"x\""),
        try FirewallRule(.outbound, .icmp),
      ])
    let data = try JSONEncoder().encode(firewall)
    #expect(try JSONDecoder().decode(Firewall.self, from: data) == firewall)
    let text = String(decoding: data, as: UTF8.self)
    for (good, bad) in [("80-85", "85-80"), ("icmp", "tcp"), ("db8::", "db8::1")] {
      let changed = text.replacingOccurrences(of: good, with: bad)
      #expect(changed != text)
      #expect(throws: (any Error).self) { try JSONDecoder().decode(Firewall.self, from: Data(changed.utf8)) }
    }
  }
}
