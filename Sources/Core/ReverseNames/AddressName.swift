/// What an address is to be called.
package struct AddressName: Hashable, Sendable {
  package let address: ServerAddress
  package let location: String
  /// The one that its customer has given it; nil for the default.
  package let name: Hostname?
  /// Whether a server has it.
  package let isGiven: Bool

  package init(address: ServerAddress, location: String, name: Hostname?, isGiven: Bool) {
    self.address = address
    self.location = location
    self.name = name
    self.isGiven = isGiven
  }
}

/// A server, and what its customer calls its addresses.
package struct NamedServer: Sendable {
  package let server: Server
  /// Those that have a name of their customer's.
  package let names: [ServerAddress: Hostname]

  package init(server: Server, names: [ServerAddress: Hostname]) {
    self.server = server
    self.names = names
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
