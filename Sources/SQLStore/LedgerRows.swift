import Core

extension SQLConnection {
  func balance(of account: ID<Account>) throws -> Money {
    guard let balance = try value(Money.self, "SELECT balance FROM account WHERE id = ?", [account]) else {
      throw Failure.internalError("there is no account \(account)")
    }
    return balance
  }

  /// Adds an entry to the ledger and its amount to the balance, which changes nowhere else. Returns the new balance.
  @discardableResult
  func append(
    _ reason: LedgerReason, _ amount: Money, to account: ID<Account>, for server: ID<Server>? = nil,
    hour: ServerHour? = nil, number: Int64? = nil, description: String = "", at now: Timestamp
  ) throws -> Money {
    guard amount != .zero else { return try balance(of: account) }
    let balance = try value(
      Money.self, "UPDATE account SET balance = balance + ? WHERE id = ? RETURNING balance", [amount, account]
    ).orFail("there is no account \(account)")
    try run(
      """
      INSERT INTO ledger_entry (account_id, reason, amount, balance, server_id, hour_began_at, number, description,
        created_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
      """,
      [account, reason, amount, balance, server, hour?.beganAt, hour?.number ?? number, description, now])
    return balance
  }

  func requireCredit(_ price: Money, of account: ID<Account>) throws {
    let balance = try balance(of: account)
    if try isOutOfCredit(account) {
      throw Failure(
        .insufficientCredit,
        "Insufficient credits. Your account is suspended until it can pay for its servers. This plan costs "
          + "\(price.decimal) per hour and your balance is \(balance.decimal).")
    }
    guard balance >= price else {
      throw Failure(
        .insufficientCredit,
        "Insufficient credits. This plan costs \(price.decimal) per hour and your balance is \(balance.decimal).")
    }
  }

  /// Holds credit for the first hour again, where the server was never ready and its first hold was released when it failed.
  func holdFirstHourAgain(of server: Server, at now: Timestamp) throws {
    let held = try value(Money.self, "SELECT credit_hold FROM server WHERE id = ?", [server.id])
    guard !server.machine.wasEverReady, held == .zero,
      let price = try value(Money.self, "SELECT price_per_hour FROM server WHERE id = ?", [server.id])
    else { return }
    try requireCredit(price, of: server.accountID)
    try run("UPDATE server SET credit_hold = ? WHERE id = ?", [price, server.id])
    try append(.hold, -price, to: server.accountID, for: server.id, at: now)
  }
}
