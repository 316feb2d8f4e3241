package struct Account: Sendable, Equatable {
  package let id: ID<Account>
  package let email: String
  package let balance: Money
  package let createdAt: Timestamp

  package init(id: ID<Account>, email: String, balance: Money, createdAt: Timestamp) {
    self.id = id
    self.email = email
    self.balance = balance
    self.createdAt = createdAt
  }
}

/// Why an amount was added to or taken from an account. The ledger is append-only; the balance is its sum.
package enum LedgerReason: String, Sendable, CaseIterable {
  /// The operator added credit.
  case credit
  /// The first hour of a new server was set aside.
  case hold
  /// What was set aside was given back.
  case release
  /// A server was paid for.
  case charge
}
