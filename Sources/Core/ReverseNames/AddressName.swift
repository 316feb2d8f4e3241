/// The name that an address is to have in reverse DNS.
package struct AddressName: Hashable, Sendable {
  package let address: ServerAddress
  package let location: String
  /// The name that the customer chose; nil for the default.
  package let name: Hostname?
  /// Nil if no server has the address.
  package let serverID: ID<Server>?
  /// Whether the address is named by the pattern if its customer chooses no name. Not so for addresses of a server's
  /// network other than the server's own.
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

/// A server, and the names that its customer chose for its addresses.
package struct NamedServer: Sendable {
  package let server: Server
  /// The chosen names; addresses without one are left out.
  package let names: [ServerAddress: Hostname]
  /// The named addresses of its networks other than its own, in ascending order.
  package let others: [ServerAddress]

  /// - Parameters:
  ///   - names: Of the server's own addresses.
  ///   - inNetworks: Of the other addresses in its networks.
  package init(server: Server, names: [AddressName], inNetworks: [AddressName]) {
    self.server = server
    self.names = Dictionary((names + inNetworks).compactMap { one in one.name.map { (one.address, $0) } }) { $1 }
    others = inNetworks.map(\.address)
  }

  /// The server's own address that `wanted` is, or the single address in one of its networks; nil if the server does
  /// not have it. The first address of a network belongs to its routers.
  package func address(_ wanted: IPAddress) -> ServerAddress? {
    let own = server.visibleAddresses
    if let address = own.all.first(where: { $0.hostAddress == wanted }) { return address }
    guard !wanted.isIPv4, let one = IPv6Network(given: wanted.description), one.host != 0,
      own.ipv6.contains(one.enclosing)
    else { return nil }
    return .ipv6(one)
  }
}

/// A name that the DNS server is yet to be told.
package struct NameChange: Hashable, Sendable {
  package let wanted: AddressName
  /// Changes whenever the name changes.
  package let revision: Int64
  /// How often it was not taken.
  package let attempts: Int

  package init(wanted: AddressName, revision: Int64, attempts: Int) {
    self.wanted = wanted
    self.revision = revision
    self.attempts = attempts
  }
}

/// A name that the DNS server is yet to be told, as the operator sees it.
package struct WaitingName: Hashable, Sendable {
  package let wanted: AddressName
  package let since: Timestamp
  /// How often it was not taken.
  package let attempts: Int
  package let nextAt: Timestamp
  /// Why it was refused; nil if it was not.
  package let failure: String?

  package init(wanted: AddressName, since: Timestamp, attempts: Int, nextAt: Timestamp, failure: String?) {
    self.wanted = wanted
    self.since = since
    self.attempts = attempts
    self.nextAt = nextAt
    self.failure = failure
  }
}

/// A name that a DNS server has not taken.
package struct UntakenName: Sendable {
  package let change: NameChange
  /// Why it counts as refused; nil where it does not.
  package let refusal: String?
  /// When it is tried again.
  package let nextAt: Timestamp

  package init(_ change: NameChange, refusal: String?, nextAt: Timestamp) {
    self.change = change
    self.refusal = refusal
    self.nextAt = nextAt
  }
}
