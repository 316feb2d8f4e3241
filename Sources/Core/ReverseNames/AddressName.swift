/// What an address is to be called.
package struct AddressName: Hashable, Sendable {
  package let address: ServerAddress
  package let location: String
  /// The one that its customer has given it; nil for the default.
  package let name: Hostname?
  /// Nil where nobody has it.
  package let serverID: ID<Server>?
  /// Whether it is called by a pattern where its customer gives it no name: not so of another address of a network than its server's
  /// own.
  package let hasDefault: Bool

  package init(
    address: ServerAddress, location: String, name: Hostname?, serverID: ID<Server>?, hasDefault: Bool = true
  ) {
    self.address = address
    self.location = location
    self.name = name
    self.serverID = serverID
    self.hasDefault = hasDefault
  }

  package var isGiven: Bool { serverID != nil }
}

/// A server, and what its customer calls its addresses.
package struct NamedServer: Sendable {
  package let server: Server
  /// Those that have a name of their customer's.
  package let names: [ServerAddress: Hostname]
  /// Other addresses of its networks than its own, in their order.
  package let others: [ServerAddress]

  /// - Parameters:
  ///   - names: Of what it was given.
  ///   - inNetworks: Of other addresses of that.
  package init(server: Server, names: [AddressName], inNetworks: [AddressName]) {
    self.server = server
    self.names = Dictionary((names + inNetworks).compactMap { one in one.name.map { (one.address, $0) } }) { $1 }
    others = inNetworks.map(\.address)
  }

  /// What the server has that an address is, or is in; nil where it has it not. The first address of a network is its routers'.
  package func address(_ wanted: IPAddress) -> ServerAddress? {
    let own = server.visibleAddresses
    if let address = own.all.first(where: { $0.hostAddress == wanted }) { return address }
    guard !wanted.isIPv4, let one = IPv6Network(given: wanted.description), one.host != 0,
      own.ipv6.contains(one.enclosing)
    else { return nil }
    return .ipv6(one)
  }
}

/// A name that a DNS server is yet to be told.
package struct NameChange: Hashable, Sendable {
  package let wanted: AddressName
  /// Another one whenever the name is another.
  package let revision: Int64
  /// How often it was refused.
  package let attempts: Int

  package init(wanted: AddressName, revision: Int64, attempts: Int) {
    self.wanted = wanted
    self.revision = revision
    self.attempts = attempts
  }
}

/// A name that a DNS server is yet to be told, as its operator sees it.
package struct WaitingName: Hashable, Sendable {
  package let wanted: AddressName
  package let since: Timestamp
  /// How often it was refused.
  package let attempts: Int
  package let nextAt: Timestamp
  /// Why it was refused; nil where it only waits.
  package let failure: String?

  package init(wanted: AddressName, since: Timestamp, attempts: Int, nextAt: Timestamp, failure: String?) {
    self.wanted = wanted
    self.since = since
    self.attempts = attempts
    self.nextAt = nextAt
    self.failure = failure
  }
}

/// A name that a DNS server has refused.
package struct RefusedName: Sendable {
  package let change: NameChange
  package let reason: String
  /// When it is tried again.
  package let nextAt: Timestamp

  package init(_ change: NameChange, reason: String, nextAt: Timestamp) {
    self.change = change
    self.reason = reason
    self.nextAt = nextAt
  }
}
