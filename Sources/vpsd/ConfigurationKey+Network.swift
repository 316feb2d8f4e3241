import Core
import HostNetwork
import LibvirtDriver

/// How servers of this machine are reached, and which networks they reach.
extension ConfigurationKey {
  static let network: [ConfigurationKey] = [
    choice(
      "network", \.network, default: "loopback",
      "How servers of this machine are reached: at addresses of its loopback, from itself only; routed, from everywhere; or as ports of a bridge of it"
    ),
    value(
      "bridge", \.bridge, default: "none",
      "The bridge of this machine that servers are ports of, which you have made; for network: bridge",
      rule: "none, or the name of a link, such as br0",
      parse: { $0 == "none" ? .some(nil) : isLinkName($0) ? .some($0) : nil }, print: { $0 ?? "none" }),
    bridgeGateways,
    value(
      "bridge_isolation", \.isBridgeIsolating, default: "true",
      "Whether servers on the bridge get no frame of each other, and speak with each other by the gateway alone",
      rule: "true or false", parse: { $0 == "true" ? true : $0 == "false" ? false : nil }, print: \.description),
    value(
      "uplink", \.uplink, default: "auto",
      "The link of a routed network that leads to the world; auto takes that of the default route",
      rule: "auto, or the name of a link, such as eth0",
      parse: { $0 == "auto" ? .some(nil) : isLinkName($0) ? .some($0) : nil }, print: { $0 ?? "auto" }),
    value(
      "mtu", \.mtu, default: "auto",
      "How large the packets of servers in a routed network or on a bridge may be, in bytes; auto takes what the uplink or the bridge carries",
      rule: "auto, or a whole number from 1280 to 65521",
      parse: { $0 == "auto" ? .some(nil) : decimal($0, 1280...65_521).map { .some($0) } },
      print: { $0.map { String($0) } ?? "auto" }),
    nameServers, openNetworks,
    value(
      "forward_range", \.forwardRange, default: "none",
      "The TCP ports of this host that lead to servers at private addresses of a routed network, as many for each as forwarded_ports has",
      rule: "none, or a range of ports from 1024 on, such as 20000-29999",
      parse: { text in
        if text == "none" { return .some(nil) }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map {
          decimal(String($0), 1024...65_535)
        }
        guard ends.count == 2, let first = ends[0], let last = ends[1], first <= last else { return nil }
        return .some(first...last)
      }, print: { $0.map { "\($0.lowerBound)-\($0.upperBound)" } ?? "none" }),
    value(
      "forward_address", \.forwardAddress, default: "auto",
      "The address of this host whose ports these are; auto takes the first of the uplink",
      rule: "auto, or an IPv4 address", parse: { $0 == "auto" ? .some(nil) : IPv4Address($0).map { .some($0) } },
      print: { $0?.description ?? "auto" }),
    value(
      "smtp_outbound", \.mayServersMail, default: "false",
      "Whether servers in a routed network or on a bridge may open connections to TCP port 25, which is how spam goes out; `vpsd account update --smtp-outbound yes` lets those of one account",
      rule: "true or false", parse: { $0 == "true" ? true : $0 == "false" ? false : nil }, print: \.description),
    amount(
      "addresses_per_server", \.addressesPerServer, default: "16",
      "How many addresses a server may have, networks of IPv6 among them", 1...256),
    amount(
      "address_rest", \.addressRest, default: "3600",
      "For how many seconds an address that an account has released is not given to another one by its name; of itself a pool gives it only after all that rest no more",
      0...31_536_000),
  ]

  private static let nameServers = ConfigurationKey(
    name: "nameservers", defaultText: "auto",
    description: "The name servers that servers in a routed network or on a bridge are told of; auto takes the host's",
    rule: "auto, or a list of at most 3 IP addresses, such as [9.9.9.9, 2620:fe::fe]", isList: true,
    apply: { value, configuration in
      if value.elements == ["auto"] {
        configuration.nameServers = nil
        return true
      }
      let servers = value.elements.compactMap { IPAddress($0) }
      guard servers.count == value.elements.count, (1...3).contains(servers.count) else { return false }
      configuration.nameServers = servers
      return true
    },
    read: { $0.nameServers?.map(\.description) ?? ["auto"] })

  private static let bridgeGateways = ConfigurationKey(
    name: "bridge_gateways", defaultText: "none",
    description:
      "The routers by which servers on the bridge reach others, of each family that they have; with a length those in the network are reached without it",
    rule: "none, or a list of at most 16 addresses of routers, such as [203.0.113.1/24, fe80::1]", isList: true,
    apply: { value, configuration in
      let texts = value.text == "none" ? [] : value.elements
      let gateways = texts.compactMap { LinkGateway($0) }
      guard gateways.count == texts.count, gateways.count <= 16 else { return false }
      configuration.bridgeGateways = gateways
      return true
    },
    read: { $0.bridgeGateways.map(\.description) })

  private static let openNetworks = ConfigurationKey(
    name: "open_networks", defaultText: "none",
    description:
      "The private networks that servers in a routed network or on a bridge may reach, which are closed to them otherwise",
    rule: "none, or a list of private networks without host bits, such as [10.20.0.0/16, fd00:20::/48]", isList: true,
    apply: { value, configuration in
      let texts = value.text == "none" ? [] : value.elements
      let networks = texts.compactMap { IPNetwork($0) }
      guard networks.count == texts.count, networks.count <= 100, networks.allSatisfy(HostNetworkSettings.canBeOpen)
      else { return false }
      configuration.openNetworks = networks
      return true
    },
    read: { $0.openNetworks.map(\.description) })

  /// Whether the kernel accepts the name, and no program gives it a special meaning.
  private static func isLinkName(_ text: String) -> Bool {
    (1...15).contains(text.utf8.count) && text.utf8.first != UInt8(ascii: "-") && text != "." && text != ".."
      && text.utf8.allSatisfy { byte in
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || "._-@".utf8.contains(byte)
      }
  }

  private static func decimal(_ text: String, _ range: ClosedRange<Int>) -> Int? {
    guard (1...6).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(text),
      range.contains(number)
    else { return nil }
    return number
  }
}
