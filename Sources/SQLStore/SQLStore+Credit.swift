package import Core

extension SQLStore {
  /// The largest balance of an account, so that sums of amounts stay far below the largest number.
  private static let largestBalance = Money.largestWritten * 1000

  package func addCredit(
    _ amount: Money, to account: ID<Account>, note: String, by operator: Operator, at now: Timestamp
  ) async throws -> Account? {
    try await write { [tariff] database in
      guard let found = try database.account(account), found.closedAt == nil else { return nil }
      guard try database.balance(of: account) + amount <= Self.largestBalance else {
        throw Failure(.unprocessable, "No account may have more than \(Self.largestBalance.decimal).")
      }
      try database.append(.credit, amount, to: account, description: note, at: now)
      try database.forgetCreditWarning(of: account)
      _ = try database.liftCreditSuspension(of: account, tariff, at: now)
      try database.auditOperator("credit.add", by: `operator`, account: account, detail: amount.decimal, at: now)
      return try database.account(account)
    }
  }

  package func confirmBillingClock(at now: Timestamp) async throws -> Timestamp? {
    try await write { database -> Timestamp? in
      guard let seen = try database.time(ClockSetting.billed) else { return nil }
      try database.setTime(ClockSetting.billed, now)
      try database.auditOperator("credit.confirm-clock", at: now)
      return seen
    }
  }

  /// Whether the clock is so far from what was billed last that nothing is charged.
  package func isBillingClockDoubted(at now: Timestamp) async throws -> Bool {
    let seen = try await read { database in try database.time(ClockSetting.billed) }
    return seen.map { BillingClock(at: now, lastSeen: $0, elapsed: .zero) != .trusted } ?? false
  }

  /// What all servers of an account cost in the hour that runs, when it can pay for them.
  package func costWhenPaid(of account: ID<Account>, at now: Timestamp) async throws -> Money {
    try await read { [tariff] database in try database.costWhenPaid(of: account, tariff, at: now) }
  }

  package func ledgerFaults(of account: ID<Account>) async throws -> (entryCount: Int, faults: [String]) {
    try await read { database in
      var proof = LedgerProof()
      try database.query(
        """
        SELECT id, reason, amount, balance, server_id, hour_began_at, number FROM ledger_entry
        WHERE account_id = ? ORDER BY id
        """,
        [account], isKept: true
      ) { row in
        proof.add(
          LedgerProof.Entry(
            id: try row.next(), reason: try row.next(), amount: try row.next(), balance: try row.next(),
            server: try row.next(), hourBeganAt: try row.next(), number: try row.next()))
      }
      let holds = try database.rows(
        "SELECT id, credit_hold FROM server WHERE account_id = ? AND erased_at IS NULL AND credit_hold > 0", [account]
      ) { row in (try row.next(ID<Server>.self), try row.next(Money.self)) }
      return (
        proof.count,
        proof.faults(balance: try database.balance(of: account), holds: Dictionary(uniqueKeysWithValues: holds))
      )
    }
  }
}
