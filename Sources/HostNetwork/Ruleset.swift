import Core

/// The host's packet filter for its servers: tables of nftables, loaded as one transaction. The cost of a packet does not
/// depend on the number of servers, because everything is looked up: by tap, or on a bridge by the hardware address of the
/// card.
///
/// Counters are only added and removed, never replaced, so their values survive each reload.
struct Ruleset {
  let settings: HostNetworkSettings
  /// The owner of the tables.
  let mark: String
  let interfaces: [RoutedInterface]
  /// Whether the kernel supports speed limits.
  var hasLimits = true

  /// Networks that a guest never reaches through its host: the host itself, its links (a cloud's metadata service, at
  /// 169.254.169.254 and elsewhere), and networks that are not the internet. The rules for the pools come first.
  static let closed = [
    "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
    "198.18.0.0/15", "192.0.0.0/24", "168.63.129.16/32", "224.0.0.0/3",
  ]
  static let closed6 = [
    "::/127", "fe80::/10", "fc00::/7", "ff00::/8", "::ffff:0:0/96", "fec0::/10", "64:ff9b::/96", "64:ff9b:1::/48",
  ]

  /// The text that brings the tables into the desired state, whatever is in them.
  ///
  /// - Parameter existing: The present tables; nil where there are none.
  func transaction(existing: Listing?) -> String {
    let taps = Set(interfaces.map(\.tap))
    let frame = RulesetFrame(
      mark: mark, mayMail: settings.mayMail, hasLimits: hasLimits, forwarding: settings.forwarding,
      bridge: settings.bridge)
    var text = frame.text + Self.removal(ofForeign: existing, frame)
    for part in (existing?.parts ?? []).sorted() where part.kind == "limit" {
      text += "delete limit inet vpsd \(part.name)\n"
    }
    if settings.bridge == nil {
      text += Self.elements("private4", settings.privateNetworks) + Self.elements("private6", settings.privateNetworks6)
    }
    for (set, isIPv4) in [("open4", true), ("open6", false)] {
      let own = settings.networksToReach.filter { $0.isIPv4 == isIPv4 }
      text += Self.elements(set, IPNetwork.widest(of: own).map(\.description))
    }
    let servers = settings.nameServers
    text += Self.elements("resolvers4", servers.filter(\.isIPv4).map(\.description))
    text += Self.elements("resolvers6", servers.filter { !$0.isIPv4 }.map(\.description))
    let rules = ServerRules(isBridged: settings.bridge != nil)
    for tap in (existing?.taps ?? []).subtracting(taps).sorted() {
      text += rules.removal(of: tap, withElements: rules.isBridged)
    }
    return text + rules.all(of: interfaces)
  }

  /// Removes what others have put into our table: a chain of theirs could drop everything.
  private static func removal(ofForeign existing: Listing?, _ frame: RulesetFrame) -> String {
    let own = frame.text.split(separator: "\n").map { $0.split { $0 == " " || $0 == "\t" } }
    let names = Set(own.compactMap { $0.count >= 3 && $0[2] == "{" ? "\($0[0]) \($0[1])" : nil })
    return (existing?.parts ?? []).sorted()
      .filter {
        !$0.name.hasPrefix(RoutedInterface.tapPrefix) && $0.kind != "limit" && !names.contains("\($0.kind) \($0.name)")
      }
      .map { "delete \($0.kind) inet vpsd \($0.name)\n" }.joined()
  }

  private static func elements(_ set: String, _ elements: [String]) -> String {
    elements.isEmpty ? "" : "add element inet vpsd \(set) { \(elements.joined(separator: ", ")) }\n"
  }
}

/// A server's firewall as rules of nftables. Every packet from the opener of a connection is checked again, so a connection
/// ends when it is no longer allowed; replies are accepted before these rules.
struct FirewallRules {
  let inbound: [String]
  let outbound: [String]

  init(_ firewall: Firewall) {
    inbound = Self.lines(firewall, .inbound, address: "saddr")
    outbound = Self.lines(firewall, .outbound, address: "daddr")
  }

  private static func lines(_ firewall: Firewall, _ direction: FirewallRule.Direction, address: String) -> [String] {
    let rules = firewall.rules.filter { $0.direction == direction }
    guard firewall.isEnabled, direction == .inbound || !rules.isEmpty else { return ["accept"] }
    return rules.flatMap { rule in
      partners(rule.networks, address: address).map { "\($0)\(traffic(rule.traffic)) accept" }
    } + ["drop"]
  }

  /// One match for each address family.
  private static func partners(_ networks: [IPNetwork], address: String) -> [String] {
    if networks.isEmpty { return [""] }
    return [(true, "ip", "ipv4"), (false, "ip6", "ipv6")].compactMap { isIPv4, word, family in
      let widest = IPNetwork.widest(of: networks.filter { $0.isIPv4 == isIPv4 })
      if widest.isEmpty { return nil }
      if widest.contains(where: { $0.prefixLength == 0 }) { return "meta nfproto \(family) " }
      return "\(word) \(address) { \(widest.map(\.description).joined(separator: ", ")) } "
    }
  }

  private static func traffic(_ traffic: FirewallTraffic) -> String {
    switch traffic {
    case .tcp(let ports): matched("tcp", ports)
    case .udp(let ports): matched("udp", ports)
    case .icmp: "meta l4proto { icmp, ipv6-icmp }"
    case .gre: "meta l4proto gre"
    case .esp: "meta l4proto esp"
    }
  }

  private static func matched(_ name: String, _ ports: FirewallPorts) -> String {
    ports.range == nil ? "meta l4proto \(name)" : "\(name) dport \(ports)"
  }
}

extension IPNetwork {
  /// Without networks that another one contains, because nftables rejects overlaps.
  static func widest(of networks: [IPNetwork]) -> [IPNetwork] {
    networks.filter { network in !networks.contains { $0 != network && $0.contains(network) } }
  }
}
