package import Core

extension SQLStore {
  package func accounts(after id: ID<Account>?, limit: Int) async throws -> [Account] {
    try await read { database in
      try database.all(
        "SELECT \(Account.columns) FROM account WHERE id > ? ORDER BY id LIMIT ?", [id?.value ?? 0, limit])
    }
  }

  package func account(email: String) async throws -> Account? {
    try await read { database in
      try database.first("SELECT \(Account.columns) FROM account WHERE email = ?", [email])
    }
  }

  package func account(_ id: ID<Account>) async throws -> Account? {
    try await read { database in try database.first("SELECT \(Account.columns) FROM account WHERE id = ?", [id]) }
  }

  package func createAccount(email: String, openingCredit: Money, at now: Timestamp) async throws -> Account {
    try await write { database in
      let account = try database.insertAccount(email: email, openingCredit: openingCredit, at: now)
      try database.auditOperator(
        "account.create", account: account.id, detail: "credit \(openingCredit.decimal)", at: now)
      return account
    }
  }
}

extension SQLConnection {
  func hasAccount() throws -> Bool {
    try value(Int64.self, "SELECT id FROM account LIMIT 1") != nil
  }

  func insertAccount(email: String, openingCredit: Money, at now: Timestamp) throws -> Account {
    // Whoever writes an address in capitals means the same one.
    let inserted: Account? = try first(
      "INSERT INTO account (email, created_at) SELECT ?, ? WHERE NOT EXISTS "
        + "(SELECT 1 FROM account WHERE lower(email) = lower(?)) RETURNING \(Account.columns)",
      [email, now, email])
    guard let account = inserted else {
      throw Failure.invalid(.email, "An account with this email exists already.")
    }
    let balance = try append(.credit, openingCredit, to: account.id, at: now)
    return Account(id: account.id, email: account.email, balance: balance, createdAt: account.createdAt)
  }
}

extension Account: RowReadable {
  static let columns =
    "id, email, balance, created_at, first_name, last_name, company_name, credit_suspended_at, "
    + "deletion_at, operator_suspended_at, operator_suspension_reason"

  init(from row: inout RowReader) throws {
    self.init(
      id: try row.next(), email: try row.next(), balance: try row.next(), createdAt: try row.next(),
      firstName: try row.next(), lastName: try row.next(), companyName: try row.next(),
      suspension: AccountSuspension(
        outOfCreditSince: try row.next(), deletionAt: try row.next(), byOperatorSince: try row.next(),
        operatorReason: try row.next()))
  }
}
