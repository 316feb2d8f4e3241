package import Core

extension SQLStore {
  package func accounts(after id: ID<Account>?, limit: Int) async throws -> [Account] {
    try await read { database in
      try database.all(
        "SELECT \(Account.columns) FROM account WHERE id > ? ORDER BY id LIMIT ?", [id?.value ?? 0, limit])
    }
  }

  package func accounts(beginning text: String?, after last: ID<Account>?, limit: Int) async throws -> [Account] {
    try await read { database in
      guard let beginning = text?.lowercased() else {
        return try database.all(
          "SELECT \(Account.columns) FROM account WHERE id < ? ORDER BY id DESC LIMIT ?", [last?.value ?? .max, limit])
      }
      let key = try last.flatMap { id in
        try database.value(String.self, "SELECT email_key FROM account WHERE id = ?", [id])
      }
      return try database.all(
        """
        SELECT \(Account.columns) FROM account WHERE (email_key, id) > (?, ?) AND email_key < ?
        ORDER BY email_key, id LIMIT ?
        """,
        [key ?? beginning, key == nil ? 0 : last?.value, Self.end(ofTextsBeginning: beginning), limit])
    }
  }

  /// An upper bound of all texts that begin with this one.
  static func end(ofTextsBeginning text: String) -> String { text + "\u{10FFFF}" }

  package func account(email: String) async throws -> Account? {
    try await read { database in
      try database.first("SELECT \(Account.columns) FROM account WHERE email = ?", [email])
    }
  }

  package func account(_ id: ID<Account>) async throws -> Account? {
    try await read { database in try database.account(id) }
  }

  package func createAccount(
    email: String, _ profile: ProfileChange, openingCredit: Money, by operator: Operator, at now: Timestamp
  ) async throws -> Account {
    try await write { database in
      let account = try database.insertAccount(email: email, openingCredit: openingCredit, at: now)
      try database.update(account.id, profile)
      try database.auditOperator(
        "account.create", by: `operator`, account: account.id, detail: "credit \(openingCredit.decimal)", at: now)
      return try database.account(account.id).orFail("the account is gone")
    }
  }

  package func updateProfile(
    of account: ID<Account>, _ change: ProfileChange, by operator: Operator, at now: Timestamp
  ) async throws -> Bool {
    try await write { database in
      guard let open = try database.account(account), open.closedAt == nil else { return false }
      try open.requireChangeable(by: `operator`)
      if let expected = change.expectedEmail, !expected.utf8.elementsEqual(open.email.utf8) {
        throw Failure.accountChangedMeanwhile
      }
      if let mayMail = change.mayMail, mayMail != open.mayMail { try database.touchFirewalls(of: account) }
      try database.update(account, change)
      // Nobody knows who has had a link, a password or a session of the account: none of these may sign in an operator.
      if change.isOperator == true, !open.isOperator { try database.forgetSignIn(of: account, at: now) }
      let changed = change.namesOfChanges(to: open)
      try database.auditOperator(
        "account.update", by: `operator`, account: account,
        detail: changed.isEmpty ? nil : changed.joined(separator: ", "), at: now)
      return true
    }
  }

  package func summary(of account: ID<Account>) async throws -> AccountSummary? {
    try await read { database in
      guard let found = try database.account(account) else { return nil }
      func count(_ rows: String) throws -> Int {
        try database.value(Int.self, "SELECT COUNT(*) FROM \(rows)", [account]) ?? 0
      }
      return AccountSummary(
        account: found, serverCount: try count("server WHERE account_id = ? AND deleted_at IS NULL"),
        tokenCount: try count("token WHERE account_id = ? AND is_session = 0 AND revoked_at IS NULL"),
        sshKeyCount: try count("ssh_key WHERE account_id = ?"))
    }
  }

  package func closeAccount(
    _ id: ID<Account>, deletingServers: Bool, by operator: Operator, at now: Timestamp
  ) async throws -> Account? {
    try await write { [tariff] database in
      guard let account = try database.account(id), account.closedAt == nil else { return nil }
      try account.requireChangeable(by: `operator`)
      try database.endServers(of: id, deleting: deletingServers, by: `operator`, tariff, at: now)
      try database.run(
        "UPDATE token SET revoked_at = COALESCE(revoked_at, ?), name = 'closed' WHERE account_id = ?", [now, id])
      for table in ["ssh_key", "repeatable_request", "notice", "login_link", "recovery_code"] {
        try database.run("DELETE FROM \(table) WHERE account_id = ?", [id])
      }
      // No e-mail address has this form, so the account cannot be found by one.
      try database.run(
        """
        UPDATE account SET email = ?1, email_key = ?1, first_name = '', last_name = '', company_name = '', password_hash = '', totp_secret = '',
          closed_at = ?2
        WHERE id = ?3
        """,
        ["closed-\(id)", now, id])
      try database.auditOperator("account.close", by: `operator`, account: id, at: now)
      return try database.account(id)
    }
  }
}

extension SQLConnection {
  func hasAccount() throws -> Bool {
    try value(Int64.self, "SELECT id FROM account LIMIT 1") != nil
  }

  func account(_ id: ID<Account>) throws -> Account? {
    try first("SELECT \(Account.columns) FROM account WHERE id = ?", [id])
  }

  func insertAccount(email: String, openingCredit: Money, at now: Timestamp) throws -> Account {
    try requireFree(email)
    let inserted: Account? = try first(
      "INSERT INTO account (email, email_key, created_at) VALUES (?1, lower(?1), ?2) RETURNING \(Account.columns)",
      [email, now])
    let account = try inserted.orFail("the account was not written")
    try append(.credit, openingCredit, to: account.id, at: now)
    return try self.account(account.id).orFail("the account is gone")
  }

  /// Throws where the account was closed since the customer's token was checked.
  func requireOpen(_ account: ID<Account>) throws {
    guard try self.account(account)?.closedAt == nil else { throw Failure.tokenInvalid }
  }

  /// The same for a use case that operators' programs have, too: these are told what is wrong.
  func requireOpen(_ account: ID<Account>, for caller: Caller) throws {
    guard caller.isOperating else { return try requireOpen(account) }
    try requireChangeable(account, by: .host)
  }

  /// Throws where the account is closed, or not this operator's to change.
  func requireChangeable(_ account: ID<Account>, by operator: Operator) throws {
    let found = try self.account(account).orFail("there is no account \(account)")
    guard found.closedAt == nil else { throw Failure.accountClosed(account) }
    try found.requireChangeable(by: `operator`)
  }

  /// Throws where another account has this e-mail address, in capitals or not.
  private func requireFree(_ email: String, except account: ID<Account>? = nil) throws {
    let other = try value(
      ID<Account>.self, "SELECT id FROM account WHERE email_key = lower(?) AND id IS DISTINCT FROM ? LIMIT 1",
      [email, account])
    guard other == nil else { throw Failure.invalid(.email, "An account with this email exists already.") }
  }

  fileprivate func update(_ account: ID<Account>, _ change: ProfileChange) throws {
    if let email = change.email {
      try requireFree(email, except: account)
      // They were mailed to the former address.
      try forgetMailedLinks(of: account)
    }
    try run(
      """
      UPDATE account SET email = COALESCE(?1, email), email_key = COALESCE(lower(?1), email_key),
        first_name = COALESCE(?2, first_name), last_name = COALESCE(?3, last_name),
        company_name = COALESCE(?4, company_name), language = COALESCE(?5, language), may_mail = COALESCE(?6, may_mail),
        is_operator = COALESCE(?7, is_operator)
      WHERE id = ?8
      """,
      [
        change.email, change.firstName, change.lastName, change.companyName, change.language, change.mayMail,
        change.isOperator, account,
      ])
  }

  fileprivate func endServers(
    of account: ID<Account>, deleting: Bool, by operator: Operator, _ tariff: Tariff, at now: Timestamp
  ) throws {
    let servers: [Server] = try all(
      "\(Server.query) WHERE server.account_id = ? AND server.deleted_at IS NULL ORDER BY server.id", [account])
    guard servers.isEmpty || deleting else {
      throw Failure(
        .wrongState,
        "The account \(account) has \(servers.count) server(s). Delete them first, or have them deleted with it "
          + "(--delete-servers, or delete_servers=true).")
    }
    for server in servers { try deleteByOperator(server, by: `operator`, tariff, at: now) }
  }
}

extension Account {
  /// Throws where the account is an operator's and this is not the host. It may have become one since the caller asked.
  func requireChangeable(by operator: Operator) throws(Failure) {
    if isOperator, `operator` != .host { throw .operatorsAreForTheHost }
  }
}

extension ProfileChange {
  /// The names of the fields that it changes, for the audit trail, which shows no values.
  fileprivate func namesOfChanges(to account: Account) -> [String] {
    func differs(_ new: String?, _ old: String) -> Bool { new.map { !$0.utf8.elementsEqual(old.utf8) } ?? false }
    var names: [String] = []
    if differs(email, account.email) { names.append("email") }
    if differs(firstName, account.firstName) { names.append("first_name") }
    if differs(lastName, account.lastName) { names.append("last_name") }
    if differs(companyName, account.companyName) { names.append("company_name") }
    if let language, language != account.language { names.append("language") }
    if let mayMail, mayMail != account.mayMail { names.append("smtp_outbound") }
    if let isOperator, isOperator != account.isOperator { names.append(isOperator ? "operator" : "no operator") }
    return names
  }
}

extension Account: RowReadable {
  static let columns =
    "id, email, balance, created_at, first_name, last_name, company_name, language, credit_suspended_at, "
    + "deletion_at, operator_suspended_at, operator_suspension_reason, may_mail, closed_at, is_operator"

  init(from row: inout RowReader) throws {
    self.init(
      id: try row.next(), email: try row.next(), balance: try row.next(), createdAt: try row.next(),
      firstName: try row.next(), lastName: try row.next(), companyName: try row.next(), language: try row.next(),
      suspension: AccountSuspension(
        outOfCreditSince: try row.next(), deletionAt: try row.next(), byOperatorSince: try row.next(),
        operatorReason: try row.next()),
      mayMail: try row.next(), closedAt: try row.next(), isOperator: try row.next())
  }
}
