package import Core

/// What the host knows of one server's network card: its tap, its firewall and limits, and the addresses that are routed to it
/// or, on a bridge, may be used at this port.
package struct RoutedInterface: Sendable, Equatable {
  /// The prefix of all our taps, and of no other link on the host.
  package static let tapPrefix = "vpsd"

  /// What is between the host and the server's card.
  package enum Link: String, Sendable {
    /// A tap, which the host makes and which outlives what is behind it.
    case tap
    /// A pair of links, one of which is the card of a container. Whoever starts the container makes it, under the name of the
    /// tap, and it is gone when the container stops.
    case pair
  }

  package var link = Link.tap
  package let hardwareAddress: HardwareAddress
  /// In the order in which they were assigned; the first is the source address of the guest's own packets.
  package let addresses: [IPv4Address]
  package let ipv6Networks: [IPv6Network]
  package var firewall: Firewall
  /// Whether it may open connections to TCP port 25 even if servers in general may not.
  package var mayMail: Bool
  /// The speed limit for each direction in Mbit/s; nil for no limit.
  package var speedMbit: Int?
  /// The host's ports that are forwarded to its addresses. They are set by `NetworkReconciler`.
  var forwards: [Forward] = []

  struct Forward: Sendable, Equatable {
    let port: Int
    let address: IPv4Address
    let guestPort: Int
  }

  package init(
    hardwareAddress: HardwareAddress, addresses: [IPv4Address], ipv6Networks: [IPv6Network], firewall: Firewall,
    mayMail: Bool = false, speedMbit: Int? = nil
  ) {
    self.hardwareAddress = hardwareAddress
    self.addresses = addresses
    self.ipv6Networks = ipv6Networks
    self.firewall = firewall
    self.mayMail = mayMail
    self.speedMbit = speedMbit
  }

  /// That of a server whose firewall is off. Throws `rejected` for one that was made at addresses of the loopback.
  package init(
    of interface: NetworkInterface, _ hardwareAddress: HardwareAddress, link: Link = .tap
  ) throws(DriverError) {
    if let address = interface.addresses.first(where: { $0.number >> 24 == 127 }) {
      throw DriverError(
        .rejected, "\(address) is an address of the loopback network, which was this host's before")
    }
    self.init(
      hardwareAddress: hardwareAddress, addresses: interface.addresses, ipv6Networks: interface.ipv6Networks,
      firewall: .disabled)
    self.link = link
  }

  package mutating func allow(_ allowance: NetworkAllowance) {
    mayMail = allowance.mayMail
    speedMbit = allowance.speedMbit
  }

  /// The addresses and networks that are routed to it.
  var destinations: [String] { addresses.map(\.description) + ipv6Networks.map(\.description) }

  func with(_ firewall: Firewall) -> RoutedInterface {
    var interface = self
    interface.firewall = firewall
    return interface
  }

  /// This interface with the other one's firewall, limits and forwards.
  func with(filterOf other: RoutedInterface) -> RoutedInterface {
    var interface = with(other.firewall)
    interface.mayMail = other.mayMail
    interface.speedMbit = other.speedMbit
    interface.forwards = other.forwards
    return interface
  }

  /// Named after the unique part of the card's address: fourteen of the fifteen characters that a link's name may have.
  package static func tap(of hardwareAddress: HardwareAddress) -> String {
    tapPrefix + hardwareAddress.description.filter { $0 != ":" }.dropFirst(2)
  }

  package var tap: String { Self.tap(of: hardwareAddress) }

  /// The tap's own address as a port of a bridge: a bridge takes over the lowest address of its ports, and this one is high.
  var portHardwareAddress: String { "fe" + hardwareAddress.description.dropFirst(2) }

  /// The next hop of the IPv6 networks: a single neighbour, so that a scan of the networks does not fill the neighbour table.
  /// It is the link-local address that the guest derives from the card's address.
  var linkLocalAddress: String {
    let number = hardwareAddress.number ^ 0x02 << 40
    let parts = [
      number >> 32 & 0xFFFF, number >> 16 & 0xFF00 | 0xFF, 0xFE00 | number >> 16 & 0xFF, number & 0xFFFF,
    ]
    return "fe80::" + parts.map { String($0, radix: 16) }.joined(separator: ":")
  }
}

/// The format of the file `network.json`.
extension RoutedInterface: Codable {
  private enum Key: String, CodingKey {
    case link
    case hardwareAddress = "hardware_address"
    case addresses
    case ipv6Networks = "ipv6_networks"
    case firewall
    case mayMail = "may_mail"
    case speedMbit = "speed_mbit"
  }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    func parsed<Value>(_ texts: [String], for key: Key, _ parse: (String) -> Value?) throws -> [Value] {
      let parsed = texts.compactMap(parse)
      guard parsed.count == texts.count else {
        throw DecodingError.dataCorruptedError(forKey: key, in: values, debugDescription: "no address")
      }
      return parsed
    }
    let hardwareAddress = try values.decode(String.self, forKey: .hardwareAddress)
    self.init(
      hardwareAddress: try parsed([hardwareAddress], for: .hardwareAddress) { HardwareAddress($0) }[0],
      addresses: try parsed(values.decode([String].self, forKey: .addresses), for: .addresses) { IPv4Address($0) },
      ipv6Networks: try parsed(values.decode([String].self, forKey: .ipv6Networks), for: .ipv6Networks) {
        IPv6Network(given: $0)
      },
      firewall: try values.decode(Firewall.self, forKey: .firewall),
      mayMail: try values.decodeIfPresent(Bool.self, forKey: .mayMail) ?? false,
      speedMbit: try values.decodeIfPresent(Int.self, forKey: .speedMbit))
    let link = try values.decodeIfPresent(String.self, forKey: .link)
    self.link = try parsed([link ?? Link.tap.rawValue], for: .link) { Link(rawValue: $0) }[0]
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    if link != .tap { try values.encode(link.rawValue, forKey: .link) }
    try values.encode(hardwareAddress.description, forKey: .hardwareAddress)
    try values.encode(addresses.map(\.description), forKey: .addresses)
    try values.encode(ipv6Networks.map(\.description), forKey: .ipv6Networks)
    try values.encode(firewall, forKey: .firewall)
    try values.encode(mayMail, forKey: .mayMail)
    try values.encodeIfPresent(speedMbit, forKey: .speedMbit)
  }
}
