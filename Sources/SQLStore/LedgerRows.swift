import Core
import GRDB

extension Database {
  func balance(of account: ID<Account>) throws -> Money {
    guard let balance = try value(Money.self, "SELECT balance FROM account WHERE id = ?", [account]) else {
      throw Failure.internalError("there is no account \(account)")
    }
    return balance
  }

  /// The only place where a balance changes, and always by what it adds to the ledger. Returns the new balance.
  @discardableResult
  func append(
    _ reason: LedgerReason, _ amount: Money, to account: ID<Account>, for server: ID<Server>? = nil, at now: Timestamp
  ) throws -> Money {
    guard amount != .zero else { return try balance(of: account) }
    try run(
      "INSERT INTO ledger_entry (account_id, reason, amount, server_id, created_at) VALUES (?, ?, ?, ?, ?)",
      [account, reason, amount, server, now])
    try run("UPDATE account SET balance = balance + ? WHERE id = ?", [amount, account])
    return try balance(of: account)
  }
}
