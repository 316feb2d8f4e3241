/// The stored form. A rule that is read is checked as if a customer had just written it.
extension FirewallRule: Codable {
  private enum Key: String, CodingKey {
    case direction, ipProtocol = "protocol", ports, networks, description
  }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    try self.init(
      values.decode(Direction.self, forKey: .direction), values.decode(IPProtocol.self, forKey: .ipProtocol),
      ports: values.decodeIfPresent(String.self, forKey: .ports),
      networks: values.decode([String].self, forKey: .networks),
      description: values.decode(String.self, forKey: .description))
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    try values.encode(direction, forKey: .direction)
    try values.encode(traffic.ipProtocol, forKey: .ipProtocol)
    try values.encodeIfPresent(traffic.ports?.description, forKey: .ports)
    try values.encode(networks.map(\.description), forKey: .networks)
    try values.encode(description, forKey: .description)
  }
}
