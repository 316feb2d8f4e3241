/// What a server is given of one family.
package enum ServerAddress: Hashable, Sendable, CustomStringConvertible {
  case ipv4(IPv4Address)
  case ipv6(IPv6Network)

  /// Reads an IPv4 address, an IPv6 address for the network that it is in, or that network.
  package init?(_ text: String) {
    if let address = IPv4Address(text) {
      self = .ipv4(address)
    } else if let network = IPv6Network(text) {
      self = .ipv6(network)
    } else {
      return nil
    }
  }

  package var description: String {
    switch self {
    case .ipv4(let address): address.description
    case .ipv6(let network): network.description
    }
  }
}

/// An address that was ever given, and who has it.
package struct AddressRecord: Sendable, Equatable {
  package let address: ServerAddress
  package let location: String
  /// Nil for one that nobody has any more.
  package let serverID: ID<Server>?
  package let assignedAt: Timestamp
  package let releasedAt: Timestamp?

  package init(
    address: ServerAddress, location: String, serverID: ID<Server>?, assignedAt: Timestamp, releasedAt: Timestamp?
  ) {
    self.address = address
    self.location = location
    self.serverID = serverID
    self.assignedAt = assignedAt
    self.releasedAt = releasedAt
  }
}

/// Who had an address from when to when: kept for 400 days after that.
package struct AddressTenure: Sendable, Equatable {
  package let serverID: ID<Server>
  package let serverName: ServerName
  package let email: String
  package let assignedAt: Timestamp
  /// Nil where it is still so.
  package let releasedAt: Timestamp?

  package init(
    serverID: ID<Server>, serverName: ServerName, email: String, assignedAt: Timestamp, releasedAt: Timestamp?
  ) {
    self.serverID = serverID
    self.serverName = serverName
    self.email = email
    self.assignedAt = assignedAt
    self.releasedAt = releasedAt
  }
}
