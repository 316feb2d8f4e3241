import Core

/// The host's packet filter for its servers: two tables of nftables, loaded as one transaction. What a packet costs does not
/// depend on how many servers there are, since all is looked up by tap.
///
/// Counters are only ever added and removed, so what they have counted outlives each reload.
struct Ruleset {
  let settings: HostNetworkSettings
  /// Whose tables they are.
  let mark: String
  let interfaces: [RoutedInterface]
  /// Whether the kernel can hold servers to a speed.
  var hasLimits = true

  static let tables = ["inet vpsd", "arp vpsd"]
  /// Connections of one server in each direction: what the host can remember is for all of them.
  private static let connectionLimit = 20_000
  /// What a guest never reaches by way of its host: the host itself, its links (a cloud's metadata, 169.254.169.254 and elsewhere), and
  /// networks that are not the internet. The pools are asked before.
  static let closed = [
    "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
    "198.18.0.0/15", "192.0.0.0/24", "168.63.129.16/32", "224.0.0.0/3",
  ]
  private static let closed6 = [
    "::/127", "fe80::/10", "fc00::/7", "ff00::/8", "::ffff:0:0/96", "fec0::/10", "64:ff9b::/96", "64:ff9b:1::/48",
  ]

  /// Makes the tables what they should be, whatever they are.
  ///
  /// - Parameter existing: What is there now.
  func transaction(existing: Listing?) -> String {
    let taps = Set(interfaces.map(\.tap))
    var text = Self.frame(mark: mark, mayMail: settings.mayMail, hasLimits: hasLimits, forwarding: settings.forwarding)
    text += Self.removal(ofForeign: existing)
    for part in (existing?.parts ?? []).sorted() where part.kind == "limit" {
      text += "delete limit inet vpsd \(part.name)\n"
    }
    text += Self.elements("private4", settings.privateNetworks) + Self.elements("private6", settings.privateNetworks6)
    for (set, isIPv4) in [("open4", true), ("open6", false)] {
      let own = settings.openNetworks.filter { $0.isIPv4 == isIPv4 }
      text += Self.elements(set, IPNetwork.widest(of: own).map(\.description))
    }
    let servers = settings.nameServers
    text += Self.elements("resolvers4", servers.filter(\.isIPv4).map(\.description))
    text += Self.elements("resolvers6", servers.filter { !$0.isIPv4 }.map(\.description))
    for tap in (existing?.taps ?? []).subtracting(taps).sorted() { text += Self.removal(of: tap, withElements: false) }
    for interface in interfaces { text += Self.chains(of: interface) }
    let all = interfaces.flatMap { Self.elements(of: $0) }
    let elements = Dictionary(grouping: all, by: \.place).mapValues(Self.withoutParts)
    for (place, elements) in elements.sorted(by: { $0.key < $1.key }) {
      text += "add element \(place) { \(elements.map(\.text).joined(separator: ", ")) }\n"
    }
    return text
  }

  /// What others have put into our table: a chain of theirs could drop everything.
  private static func removal(ofForeign existing: Listing?) -> String {
    let own = frame(mark: "", mayMail: false, hasLimits: true).split(separator: "\n").map {
      $0.split { $0 == " " || $0 == "\t" }
    }
    let names = Set(own.compactMap { $0.count >= 3 && $0[2] == "{" ? "\($0[0]) \($0[1])" : nil })
    return (existing?.parts ?? []).sorted()
      .filter {
        !$0.name.hasPrefix(RoutedInterface.tapPrefix) && $0.kind != "limit" && !names.contains("\($0.kind) \($0.name)")
      }
      .map { "delete \($0.kind) inet vpsd \($0.name)\n" }.joined()
  }

  // MARK: - One server

  static func addition(of interface: RoutedInterface) -> String {
    chains(of: interface)
      + elements(of: interface).map { "add element \($0.place) { \($0.text) }\n" }.joined()
  }

  /// Another firewall for a server that is there.
  static func firewallChange(of interface: RoutedInterface) -> String {
    ["in", "out"].map { "flush chain inet vpsd \(interface.tap)-\($0)\n" }.joined() + chains(of: interface)
  }

  static func removal(of interface: RoutedInterface) -> String {
    elements(of: interface).map { "delete element \($0.place) { \($0.key) }\n" }.joined()
      + SpeedLimit.removal(of: interface)
      + removal(of: interface.tap, withElements: true)
  }

  /// - Parameter withElements: Whether those of the maps of counters, which a reload leaves alone, are gone already.
  private static func removal(of tap: String, withElements: Bool) -> String {
    var text = ""
    if !withElements {
      for way in ["in", "out"] { text += "delete element inet vpsd bytes_\(way) { \"\(tap)\" }\n" }
    }
    for way in ["in", "out"] {
      text += "delete chain inet vpsd \(tap)-\(way)\ndelete counter inet vpsd \(tap)-\(way)\n"
    }
    return text
  }

  /// What has changed of a server whose tap stays: all else, and what was counted, goes on.
  static func change(from earlier: RoutedInterface, to interface: RoutedInterface) -> String {
    let (old, new) = (elements(of: earlier), elements(of: interface))
    let isOtherSpeed = earlier.speedMbit != interface.speedMbit
    var text = isOtherSpeed ? SpeedLimit.additions(of: interface).joined() : ""
    text += old.filter { !new.contains($0) }.map { "delete element \($0.place) { \($0.key) }\n" }.joined()
    text += new.filter { !old.contains($0) }.map { "add element \($0.place) { \($0.text) }\n" }.joined()
    if isOtherSpeed { text += SpeedLimit.removal(of: earlier) }
    return earlier.firewall == interface.firewall ? text : text + firewallChange(of: interface)
  }

  /// nftables takes no address beside a network that it is in, which another server may have.
  private static func withoutParts(_ elements: [Element]) -> [Element] {
    guard elements.first?.place == "inet vpsd address6" else { return elements }
    let networks = Set(elements.map(\.key).filter { $0.hasSuffix("/64") })
    return elements.filter { element in
      networks.contains(element.key) || !networks.contains(IPv6Network(element.key)?.description ?? "")
    }
  }

  private struct Element: Equatable {
    let place: String
    let key: String
    var value = ""
    var text: String { value.isEmpty ? key : "\(key) : \(value)" }
  }

  /// Everything of one server outside its chains.
  private static func elements(of interface: RoutedInterface) -> [Element] {
    let (tap, card) = (interface.tap, interface.hardwareAddress)
    var elements: [Element] = []
    for address in interface.addresses {
      for family in ["arp", "inet"] {
        elements.append(Element(place: "\(family) vpsd source4", key: "\"\(tap)\" . \(card) . \(address)"))
      }
      elements.append(Element(place: "inet vpsd address4", key: "\(address)"))
    }
    for network in interface.ipv6Networks {
      elements.append(Element(place: "inet vpsd source6", key: "\"\(tap)\" . \(card) . \(network)"))
      elements.append(Element(place: "inet vpsd address6", key: "\(network)"))
    }
    for forward in interface.forwards {
      elements.append(
        Element(
          place: "inet vpsd forwards", key: "\(forward.port)", value: "\(forward.address) . \(forward.guestPort)"))
    }
    if interface.mayMail { elements.append(Element(place: "inet vpsd mailers", key: "\"\(tap)\"")) }
    for (way, limit) in zip(["in", "out"], SpeedLimit.names(of: interface)) {
      elements.append(Element(place: "inet vpsd speed_\(way)", key: "\"\(tap)\"", value: "\"\(limit)\""))
    }
    for (way, map) in [("in", "ingress"), ("out", "egress")] {
      elements.append(Element(place: "inet vpsd \(map)", key: "\"\(tap)\"", value: "goto \(tap)-\(way)"))
      elements.append(Element(place: "inet vpsd bytes_\(way)", key: "\"\(tap)\"", value: "\"\(tap)-\(way)\""))
    }
    return elements
  }

  private static func chains(of interface: RoutedInterface) -> String {
    let rules = FirewallRules(interface.firewall)
    return SpeedLimit.additions(of: interface).joined()
      + [("in", rules.inbound), ("out", rules.outbound)].map { way, lines in
        """
        add counter inet vpsd \(interface.tap)-\(way)
        table inet vpsd {
          chain \(interface.tap)-\(way) {
        \(lines.map { "    \($0)\n" }.joined())  }
        }

        """
      }.joined()
  }

  private static func elements(_ set: String, _ elements: [String]) -> String {
    elements.isEmpty ? "" : "add element inet vpsd \(set) { \(elements.joined(separator: ", ")) }\n"
  }
}

/// What a server's firewall is in the words of nftables. Each packet that a connection's opener sends is asked for anew, so a
/// connection that is no longer allowed ends; what answers it passes before these are asked.
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

  /// A line for each family.
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
  /// nftables takes no network beside one that it is in.
  fileprivate static func widest(of networks: [IPNetwork]) -> [IPNetwork] {
    networks.filter { network in !networks.contains { $0 != network && $0.contains(network) } }
  }
}

// MARK: - The frame

extension Ruleset {
  private static func frame(
    mark: String, mayMail: Bool, hasLimits: Bool, forwarding: PortForwarding? = nil
  ) -> String {
    let taps = "\"\(RoutedInterface.tapPrefix)*\""
    let mail = mayMail ? "" : "    tcp dport 25 iifname != @mailers counter name mail reject with tcp reset\n"
    let forwarded = ["forwarded", "forwarded_here"].map { chain in
      forwarding?.address.map {
        "    chain \(chain) { ip daddr \($0) dnat ip addr . port to tcp dport map @forwards; }\n"
      } ?? ""
    }.joined()
    return """
      table inet vpsd {
        comment "\(mark)"
        set source4 { type ifname . ether_addr . ipv4_addr; }
        set source6 { type ifname . ether_addr . ipv6_addr; flags interval; }
        set address4 { type ipv4_addr; }
        set address6 { type ipv6_addr; flags interval; }
        set closed4 { type ipv4_addr; flags interval; }
        set closed6 { type ipv6_addr; flags interval; }
        set private4 { type ipv4_addr; flags interval; }
        set private6 { type ipv6_addr; flags interval; }
        set open4 { type ipv4_addr; flags interval; }
        set open6 { type ipv6_addr; flags interval; }
        set resolvers4 { type ipv4_addr; }
        set resolvers6 { type ipv6_addr; }
        set solicitations { type ifname; size 65535; flags dynamic,timeout; timeout 1h; }
        set advertisements { type ifname; size 65535; flags dynamic,timeout; timeout 1h; }
        set pings { type ifname; size 65535; flags dynamic,timeout; timeout 1h; }
        set mailers { type ifname; }
        set flows_out { type ifname; size 65535; flags dynamic; }
        set flows_in { type ifname; size 65535; flags dynamic; }
        map forwards { type inet_service : ipv4_addr . inet_service; }
        map egress { type ifname : verdict; }
        map ingress { type ifname : verdict; }
        map bytes_out { type ifname : counter; }
        map bytes_in { type ifname : counter; }
      \(hasLimits ? SpeedLimit.maps : "")        counter not_theirs { }
        counter to_host { }
        counter stray { }
        counter mail { }
        counter worn { }

        # Before connections are tracked and fragments put together. A guest's packet has its own address, or is a question for
        # its gateway.
        chain source { type filter hook prerouting priority -450; policy accept; }
        chain from_guest { }
        chain to_host { type filter hook input priority -10; policy accept; }
        chain to_guest { type filter hook output priority -10; policy accept; }
        chain egress { type filter hook forward priority -10; policy accept; }
        chain ingress { type filter hook forward priority -5; policy accept; }
        # What was not dropped above, whatever the host's other tables do afterwards.
        chain account { type filter hook forward priority 300; policy accept; }
        # Before the firewalls, which are about the ports of guests.
        chain forwarded { type nat hook prerouting priority dstnat; policy accept; }
        chain forwarded_here { type nat hook output priority -100; policy accept; }
        chain translate { type nat hook postrouting priority srcnat; policy accept; }
      }
      table arp vpsd {
        set source4 { type ifname . ether_addr . ipv4_addr; }
        chain input { type filter hook input priority 0; policy accept; }
      }
      flush table inet vpsd
      flush table arp vpsd
      flush set inet vpsd source4
      flush set inet vpsd source6
      flush set inet vpsd address4
      flush set inet vpsd address6
      flush set inet vpsd closed4
      flush set inet vpsd closed6
      flush set inet vpsd private4
      flush set inet vpsd private6
      flush set inet vpsd open4
      flush set inet vpsd open6
      flush set inet vpsd resolvers4
      flush set inet vpsd resolvers6
      flush set inet vpsd mailers
      flush map inet vpsd forwards
      flush map inet vpsd egress
      flush map inet vpsd ingress
      \(hasLimits ? SpeedLimit.flushes : "")      flush set arp vpsd source4
      add element inet vpsd closed4 { \(closed.joined(separator: ", ")) }
      add element inet vpsd closed6 { \(closed6.joined(separator: ", ")) }
      table inet vpsd {
        chain source {
          iifname \(taps) jump from_guest
          # Nobody else wears a server's address: firewalls of other servers may name it.
          iifname != { \(taps), "lo" } ip saddr @address4 counter name worn drop
          iifname != { \(taps), "lo" } ip6 saddr @address6 counter name worn drop
        }
        chain from_guest {
          iifname . ether saddr . ip saddr @source4 return
          iifname . ether saddr . ip6 saddr @source6 return
          # Neighbour discovery with the gateway, from a link-local address; nothing before the ICMPv6 header.
          ip6 saddr fe80::/10 ip6 nexthdr icmpv6 ip6 hoplimit 255 icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } return
          ip6 saddr fe80::/10 ip6 daddr fe80::1 icmpv6 type echo-request return
          counter name not_theirs drop
        }
        chain to_host {
          iifname != \(taps) accept
          ct state related accept
          ct state established ct direction reply accept
          # A new source of a solicitation becomes an entry of the host's neighbour table, which all servers share.
          ip6 nexthdr icmpv6 ip6 hoplimit 255 icmpv6 type nd-neighbor-solicit @th,64,128 0xfe800000000000000000000000000001 update @solicitations { iifname limit rate 2/second burst 20 packets } accept
          ip6 daddr fe80::1 ip6 nexthdr icmpv6 ip6 hoplimit 255 icmpv6 type nd-neighbor-advert update @advertisements { iifname limit rate 10/second burst 20 packets } accept
          ip daddr 169.254.1.1 icmp type echo-request update @pings { iifname limit rate 10/second } accept
          ip6 daddr fe80::1 icmpv6 type echo-request update @pings { iifname limit rate 10/second } accept
          counter name to_host drop
        }
        # A connection that a guest has opened to the host, while nothing held it back, is not taken for one of the host's.
        chain to_guest {
          oifname \(taps) meta l4proto tcp ct state new tcp flags & (fin | syn | rst | ack) != syn drop
        }
        chain egress {
          iifname != \(taps) accept
          ct state invalid drop
          icmp type redirect drop
          # Of a link, never of a path: routers and neighbours, redirects, multicast listeners and routers.
          icmpv6 type { 130-137, 143, 151-153 } drop
          ct state related accept
          ct state established ct direction reply accept
          # One server must not fill the table of connections, which all share.
          ct state new add @flows_out { iifname ct count over \(connectionLimit) } drop
      \(mail)    oifname \(taps) iifname vmap @egress
          meta l4proto { tcp, udp } th dport 53 ip daddr @resolvers4 iifname vmap @egress
          meta l4proto { tcp, udp } th dport 53 ip6 daddr @resolvers6 iifname vmap @egress
          ip daddr @open4 iifname vmap @egress
          ip6 daddr @open6 iifname vmap @egress
          ip daddr @closed4 counter name stray drop
          ip6 daddr @closed6 counter name stray drop
          iifname vmap @egress
          drop
        }
        chain ingress {
          oifname != \(taps) accept
          ct state invalid drop
          ct state related accept
          ct state established ct direction reply accept
          meta l4proto tcp ct state new tcp flags & (fin | syn | rst | ack) != syn drop
          ct state new add @flows_in { oifname ct count over \(connectionLimit) } drop
          oifname vmap @ingress
          drop
        }
        chain account {
          \(hasLimits ? SpeedLimit.outRule : "")
          counter name iifname map @bytes_out
          \(hasLimits ? SpeedLimit.inRule : "")
          counter name oifname map @bytes_in
        }
      \(forwarded)        chain translate {
          ip saddr @private4 oifname != \(taps) masquerade fully-random
          ip6 saddr @private6 oifname != \(taps) masquerade fully-random
        }
      }
      table arp vpsd {
        chain input {
          iifname != \(taps) accept
          arp operation request arp daddr ip 169.254.1.1 iifname . ether saddr . arp saddr ip @source4 accept
          drop
        }
      }

      """
  }
}
