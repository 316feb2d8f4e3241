/// An address that a server is given: an IPv4 address, an IPv6 network, or a single IPv6 address.
package enum ServerAddress: Hashable, Sendable, CustomStringConvertible {
  case ipv4(IPv4Address)
  case ipv6(IPv6Network)

  /// Reads an IPv4 address, an IPv6 address, or an IPv6 network of 64 bits.
  package init?(_ text: String) {
    if let address = IPv4Address(text) {
      self = .ipv4(address)
    } else if let network = IPv6Network(given: text) {
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

  package enum Family: Int, Sendable, CaseIterable {
    case ipv4 = 4
    case ipv6 = 6
  }

  package var family: Family {
    switch self {
    case .ipv4: .ipv4
    case .ipv6: .ipv6
    }
  }

  /// The address that the server itself uses.
  package var hostAddress: IPAddress {
    switch self {
    case .ipv4(let address): IPAddress(address)
    case .ipv6(let network): IPAddress(ofServerIn: network)
    }
  }

  /// For a single IPv6 address, the network of 64 bits around it, which a server may have as a whole; otherwise the
  /// value itself.
  package var enclosing: ServerAddress {
    switch self {
    case .ipv4: self
    case .ipv6(let network): .ipv6(network.enclosing)
    }
  }
}

/// An additional address that is requested for a server.
package enum WantedAddress: Sendable, Equatable {
  /// The next free one of the pool.
  case next(ServerAddress.Family)
  /// This one, which must be in a pool of the server's location.
  ///
  /// - Parameter rested: How long ago another account must have released it.
  case exactly(ServerAddress, rested: Duration)
}

/// The result of a change of a server's addresses.
package struct AddressChange: Sendable, Equatable {
  package let address: ServerAddress
  /// The operation that applies the change to the host and the guest.
  package let operationID: ID<Operation>

  package init(address: ServerAddress, operationID: ID<Operation>) {
    self.address = address
    self.operationID = operationID
  }
}

/// The addresses of a server.
package struct ServerAddresses: Sendable, Equatable {
  /// In the order in which they were given, as are the next ones.
  package var ipv4: [IPv4Address] = []
  package var ipv6: [IPv6Network] = []
  /// Addresses that were taken from the server, but that its host may still use.
  package var leaving: [ServerAddress] = []
  /// Changes whenever the addresses change.
  package var revision: Int64 = 0
  /// Whether the host is known to have applied them.
  package var isApplied = true

  package init() {}

  package init(_ addresses: [(address: ServerAddress, isLeaving: Bool)], revision: Int64, isApplied: Bool) {
    self.revision = revision
    self.isApplied = isApplied
    for (address, isLeaving) in addresses {
      switch address {
      case _ where isLeaving: leaving.append(address)
      case .ipv4(let address): ipv4.append(address)
      case .ipv6(let network): ipv6.append(network)
      }
    }
  }

  package var all: [ServerAddress] { ipv4.map { .ipv4($0) } + ipv6.map { .ipv6($0) } }
}

/// An address that was ever given or reserved, and the server that has it.
package struct AddressRecord: Sendable, Equatable {
  package let address: ServerAddress
  package let location: String
  /// Nil if no server has it.
  package let serverID: ID<Server>?
  package let assignedAt: Timestamp
  package let releasedAt: Timestamp?
  /// Whether it is given to no further server; one that has it keeps it.
  package let isReserved: Bool
  /// Whether it was taken from its server, but the host may still use it.
  package let isLeaving: Bool

  package init(
    address: ServerAddress, location: String, serverID: ID<Server>?, assignedAt: Timestamp, releasedAt: Timestamp?,
    isReserved: Bool = false, isLeaving: Bool = false
  ) {
    self.address = address
    self.location = location
    self.serverID = serverID
    self.assignedAt = assignedAt
    self.releasedAt = releasedAt
    self.isReserved = isReserved
    self.isLeaving = isLeaving
  }

  /// Until when the address should rest, because others may still look for its last server there; nil if it does not
  /// rest.
  package func restsUntil(_ rest: Duration, at now: Timestamp) -> Timestamp? {
    guard serverID == nil, let releasedAt, releasedAt <= now, now < releasedAt + rest else { return nil }
    return releasedAt + rest
  }
}

/// Which server had an address from when to when. Kept for 400 days after that.
package struct AddressTenure: Sendable, Equatable {
  package let serverID: ID<Server>
  package let serverName: ServerName
  package let email: String
  package let assignedAt: Timestamp
  /// Nil while it still has it.
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
