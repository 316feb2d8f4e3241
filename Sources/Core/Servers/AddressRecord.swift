/// What a server is given of one family.
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

  /// The address that its server itself has.
  package var hostAddress: IPAddress {
    switch self {
    case .ipv4(let address): IPAddress(address)
    case .ipv6(let network): IPAddress(ofServerIn: network)
    }
  }

  /// For an address in a network that somebody may have whole, that network.
  package var enclosing: ServerAddress {
    switch self {
    case .ipv4: self
    case .ipv6(let network): .ipv6(network.enclosing)
    }
  }
}

/// Which one more address a server is to have.
package enum WantedAddress: Sendable, Equatable {
  /// Whichever its pool gives next.
  case next(ServerAddress.Family)
  /// That is in a pool of its location.
  ///
  /// - Parameter rested: For how long it must not have been another account's.
  case exactly(ServerAddress, rested: Duration)
}

/// What came of a change of a server's addresses.
package struct AddressChange: Sendable, Equatable {
  package let address: ServerAddress
  /// What brings it to the host and into the guest.
  package let operationID: ID<Operation>

  package init(address: ServerAddress, operationID: ID<Operation>) {
    self.address = address
    self.operationID = operationID
  }
}

/// What a server has of addresses.
package struct ServerAddresses: Sendable, Equatable {
  /// In the order in which they were given.
  package var ipv4: [IPv4Address] = []
  package var ipv6: [IPv6Network] = []
  /// Those that it has no more, and that its host is not yet known to have let go of.
  package var leaving: [ServerAddress] = []
  /// Another number whenever they are others.
  package var revision: Int64 = 0
  /// Whether the host is known to have taken them over as they are.
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

/// An address that was ever given, and who has it.
package struct AddressRecord: Sendable, Equatable {
  package let address: ServerAddress
  package let location: String
  /// Nil for one that nobody has any more.
  package let serverID: ID<Server>?
  package let assignedAt: Timestamp
  package let releasedAt: Timestamp?
  /// Whether it is given to nobody, or to nobody else.
  package let isReserved: Bool
  /// Whether its server is to have it no more, and its host is not yet known to have let go of it.
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

  /// Until when it is one that somebody may still look for its last server at; nil for any other.
  package func restsUntil(_ rest: Duration, at now: Timestamp) -> Timestamp? {
    guard serverID == nil, let releasedAt, releasedAt <= now, now < releasedAt + rest else { return nil }
    return releasedAt + rest
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
