/// One change of an account's balance.
package struct LedgerEntry: Sendable, Equatable {
  package let id: ID<LedgerEntry>
  package let createdAt: Timestamp
  package let reason: LedgerReason
  package let amount: Money
  /// Of the account, with this entry.
  package let balance: Money
  /// Nil where it is about no server.
  package let serverID: ID<Server>?
  package let serverName: ServerName?
  /// When the hour of the server began that is paid for.
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

/// By what a ledger can be ordered.
package enum LedgerKey: String, Sendable, CaseIterable {
  case id
}
