import Core

/// The part of the packet filter that belongs to one server.
struct ServerRules {
  /// Whether servers are ports of a bridge. Then a card is identified by its hardware address, because the rules of all traffic
  /// see every port as the bridge.
  let isBridged: Bool

  /// The rules of all servers, for an empty packet filter.
  func all(of interfaces: [RoutedInterface]) -> String {
    let all = interfaces.flatMap { elements(of: $0) }
    let places = Dictionary(grouping: all, by: \.place).mapValues(withoutParts)
    return interfaces.map { chains(of: $0) }.joined()
      + places.sorted { $0.key < $1.key }.map { place, elements in
        "add element \(place) { \(elements.map(\.text).joined(separator: ", ")) }\n"
      }.joined()
  }

  func addition(of interface: RoutedInterface) -> String {
    chains(of: interface)
      + elements(of: interface).map { "add element \($0.place) { \($0.text) }\n" }.joined()
  }

  /// Replaces the firewall of a server that is loaded.
  func firewallChange(of interface: RoutedInterface) -> String {
    ["in", "out"].map { "flush chain inet vpsd \(interface.tap)-\($0)\n" }.joined() + chains(of: interface)
  }

  func removal(of interface: RoutedInterface) -> String {
    elements(of: interface).map { "delete element \($0.place) { \($0.key) }\n" }.joined()
      + SpeedLimit.removal(of: interface)
      + removal(of: interface.tap, withElements: true)
  }

  /// - Parameter withElements: Whether the elements of the counter maps, which a reload keeps, have been deleted already.
  func removal(of tap: String, withElements: Bool) -> String {
    var text = ""
    if !withElements {
      for way in ["in", "out"] { text += "delete element inet vpsd bytes_\(way) { \"\(tap)\" }\n" }
    }
    for way in ["in", "out"] {
      text += "delete chain inet vpsd \(tap)-\(way)\ndelete counter inet vpsd \(tap)-\(way)\n"
    }
    return text
  }

  /// Changes only what differs for a server whose tap stays, so that its counters and everything else continue.
  func change(from earlier: RoutedInterface, to interface: RoutedInterface) -> String {
    let (old, new) = (elements(of: earlier), elements(of: interface))
    let isOtherSpeed = earlier.speedMbit != interface.speedMbit
    var text = isOtherSpeed ? SpeedLimit.additions(of: interface).joined() : ""
    text += old.filter { !new.contains($0) }.map { "delete element \($0.place) { \($0.key) }\n" }.joined()
    text += new.filter { !old.contains($0) }.map { "add element \($0.place) { \($0.text) }\n" }.joined()
    if isOtherSpeed { text += SpeedLimit.removal(of: earlier) }
    return earlier.firewall == interface.firewall ? text : text + firewallChange(of: interface)
  }

  /// nftables rejects an address beside a network that contains it, even where they belong to different servers.
  private func withoutParts(_ elements: [Element]) -> [Element] {
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

  /// Everything of one server except its chains.
  private func elements(of interface: RoutedInterface) -> [Element] {
    let key = isBridged ? "\(interface.hardwareAddress)" : "\"\(interface.tap)\""
    var elements = isBridged ? portElements(of: interface) : routedElements(of: interface)
    if interface.mayMail { elements.append(Element(place: "inet vpsd mailers", key: key)) }
    for (way, limit) in zip(["in", "out"], SpeedLimit.names(of: interface)) {
      elements.append(Element(place: "inet vpsd speed_\(way)", key: key, value: "\"\(limit)\""))
    }
    for (way, map) in [("in", "ingress"), ("out", "egress")] {
      elements.append(Element(place: "inet vpsd \(map)", key: key, value: "goto \(interface.tap)-\(way)"))
      elements.append(Element(place: "inet vpsd bytes_\(way)", key: key, value: "\"\(interface.tap)-\(way)\""))
    }
    return elements
  }

  private func routedElements(of interface: RoutedInterface) -> [Element] {
    let card = "\"\(interface.tap)\" . \(interface.hardwareAddress)"
    return interface.addresses.flatMap { address in
      ["arp", "inet"].map { Element(place: "\($0) vpsd source4", key: "\(card) . \(address)") }
        + [Element(place: "inet vpsd address4", key: "\(address)")]
    }
      + interface.ipv6Networks.flatMap { network in
        [
          Element(place: "inet vpsd source6", key: "\(card) . \(network)"),
          Element(place: "inet vpsd address6", key: "\(network)"),
        ]
      }
      + interface.forwards.map { forward in
        Element(
          place: "inet vpsd forwards", key: "\(forward.port)", value: "\(forward.address) . \(forward.guestPort)")
      }
  }

  private func portElements(of interface: RoutedInterface) -> [Element] {
    let (tap, hardware) = ("\"\(interface.tap)\"", interface.hardwareAddress)
    let card = "\(tap) . \(hardware)"
    var elements = [
      Element(place: "inet vpsd cards", key: "\(hardware)"), Element(place: "bridge vpsd cards", key: "\(hardware)"),
      Element(place: "bridge vpsd hardware", key: card),
      Element(place: "bridge vpsd options", key: "\(tap) . \(Self.number(hardware.number, digits: 12))"),
    ]
    for address in interface.addresses {
      elements.append(Element(place: "bridge vpsd source4", key: "\(card) . \(address)"))
      for family in ["inet", "bridge"] { elements.append(Element(place: "\(family) vpsd address4", key: "\(address)")) }
    }
    for network in interface.ipv6Networks {
      for family in ["inet", "bridge"] { elements.append(Element(place: "\(family) vpsd address6", key: "\(network)")) }
    }
    // The server also uses the link-local address that it derives from its card's address.
    let link = interface.ipv6Networks.isEmpty ? nil : IPv6Network(given: interface.linkLocalAddress)
    for address in interface.ipv6Networks + [link].compactMap({ $0 }) {
      elements.append(Element(place: "bridge vpsd source6", key: "\(card) . \(address)"))
      let halves = [address.number, address.host ?? 0].map { Self.number($0, digits: 16).dropFirst(2) }.joined()
      elements.append(Element(place: "bridge vpsd targets", key: "\(tap) . 0x\(halves)"))
    }
    return elements
  }

  private static func number(_ number: UInt64, digits: Int) -> String {
    let text = String(number, radix: 16)
    return "0x" + String(repeating: "0", count: max(0, digits - text.count)) + text
  }

  private func chains(of interface: RoutedInterface) -> String {
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
}
