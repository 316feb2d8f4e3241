/// One change of an account's balance.
package struct LedgerEntry: Sendable, Equatable {
  package let id: ID<LedgerEntry>
  package let createdAt: Timestamp
  package let reason: LedgerReason
  package let amount: Money
  /// The account's balance after this entry.
  package let balance: Money
  /// Nil if the entry concerns no server.
  package let serverID: ID<Server>?
  package let serverName: ServerName?
  /// When the server's hour that is paid for began; nil if the entry pays for no hour.
  package let hourBeganAt: Timestamp?
  package let description: String

  package init(
    id: ID<LedgerEntry>, createdAt: Timestamp, reason: LedgerReason, amount: Money, balance: Money,
    serverID: ID<Server>?, serverName: ServerName?, hourBeganAt: Timestamp?, description: String
  ) {
    self.id = id
    self.createdAt = createdAt
    self.reason = reason
    self.amount = amount
    self.balance = balance
    self.serverID = serverID
    self.serverName = serverName
    self.hourBeganAt = hourBeganAt
    self.description = description
  }
}

/// The keys that a ledger can be sorted by.
package enum LedgerKey: String, Sendable, CaseIterable {
  case id
}
