package import Core

/// What the host knows of one server's network card: its tap, what goes through it, and what is routed to it, or may come from
/// this port of a bridge.
package struct RoutedInterface: Sendable, Equatable {
  /// Of every tap of ours, and of nothing else on the host.
  package static let tapPrefix = "vpsd"

  package let hardwareAddress: HardwareAddress
  /// In the order in which they were given; the first is the source of what the guest sends.
  package let addresses: [IPv4Address]
  package let ipv6Networks: [IPv6Network]
  package var firewall: Firewall
  /// Whether it may open connections to TCP port 25 where others may not.
  package var mayMail: Bool
  /// What passes in each direction, in millions of bits a second; nil for as much as there is.
  package var speedMbit: Int?
  /// Ports of the host that lead to it, of each of its addresses; whoever keeps the network knows them.
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

  package mutating func allow(_ allowance: NetworkAllowance) {
    mayMail = allowance.mayMail
    speedMbit = allowance.speedMbit
  }

  /// What is routed to it.
  var destinations: [String] { addresses.map(\.description) + ipv6Networks.map(\.description) }

  func with(_ firewall: Firewall) -> RoutedInterface {
    var interface = self
    interface.firewall = firewall
    return interface
  }

  /// The same links and routes, and what the other one lets through.
  func with(filterOf other: RoutedInterface) -> RoutedInterface {
    var interface = with(other.firewall)
    interface.mayMail = other.mayMail
    interface.speedMbit = other.speedMbit
    interface.forwards = other.forwards
    return interface
  }

  /// Named after the part of the card's address that is its own: fourteen characters of the fifteen that a link may have.
  package var tap: String { Self.tapPrefix + hardwareAddress.description.filter { $0 != ":" }.dropFirst(2) }

  /// Of the tap itself, where it is a port of a bridge: so high that no bridge takes it for its own.
  var portHardwareAddress: String { "fe" + hardwareAddress.description.dropFirst(2) }

  /// The next hop of the IPv6 networks: one neighbour, so that whoever scans them fills no table. It is the guest's own
  /// link-local address, as it makes it from the card's.
  var linkLocalAddress: String {
    let number = hardwareAddress.number ^ 0x02 << 40
    let parts = [
      number >> 32 & 0xFFFF, number >> 16 & 0xFF00 | 0xFF, 0xFE00 | number >> 16 & 0xFF, number & 0xFFFF,
    ]
    return "fe80::" + parts.map { String($0, radix: 16) }.joined(separator: ":")
  }
}

/// As it is kept beside the server's other files.
extension RoutedInterface: Codable {
  private enum Key: String, CodingKey {
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
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    try values.encode(hardwareAddress.description, forKey: .hardwareAddress)
    try values.encode(addresses.map(\.description), forKey: .addresses)
    try values.encode(ipv6Networks.map(\.description), forKey: .ipv6Networks)
    try values.encode(firewall, forKey: .firewall)
    try values.encode(mayMail, forKey: .mayMail)
    try values.encodeIfPresent(speedMbit, forKey: .speedMbit)
  }
}
