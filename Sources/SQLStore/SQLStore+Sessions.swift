package import Core

extension SQLStore {
  package func createLoginLink(
    _ link: NewLoginLink, by operator: Operator, at now: Timestamp
  ) async throws -> Bool {
    try await write { database in
      guard let account = try database.account(link.accountID), account.closedAt == nil else { return false }
      try account.requireChangeable(by: `operator`)
      if let mail = link.mail, try !database.isAwaited(mail, by: account) { return false }
      let isMailed = link.mail != nil
      try database.run("DELETE FROM login_link WHERE account_id = ? AND expires_at <= ?", [account.id, now])
      try database.run(
        """
        DELETE FROM login_link WHERE id IN (
          SELECT id FROM login_link WHERE account_id = ? ORDER BY id DESC LIMIT 1000 OFFSET ?)
        """,
        [account.id, link.quota - 1])
      try database.run(
        "INSERT INTO login_link (hash, account_id, created_at, expires_at, is_mailed) VALUES (?, ?, ?, ?, ?)",
        [link.hash, account.id, now, link.expiresAt, isMailed])
      // A mailed link is recorded by its notice.
      if !isMailed {
        try database.auditOperator("account.login_link", by: `operator`, account: account.id, at: now)
      }
      return true
    }
  }

  package func mailedLink(_ hash: TokenHash, at now: Timestamp) async throws -> MailedLink? {
    try await read { database in
      try database.rows(
        """
        SELECT account.id, account.email, account.totp_secret <> ''
        FROM login_link JOIN account ON account.id = login_link.account_id
        WHERE login_link.hash = ? AND login_link.expires_at > ? AND login_link.is_mailed = 1
        """,
        [hash, now]
      ) { row in MailedLink(accountID: try row.next(), email: try row.next(), needsCode: try row.next()) }.first
    }
  }

  package func redeemLoginLink(
    _ hash: TokenHash, _ proof: FactorProof, for session: NewSession, at now: Timestamp
  ) async throws -> Token? {
    // A read first, so that a stranger who tries does not delay those who write.
    let isThere = try await read { database in try database.loginLink(hash, at: now) != nil }
    guard isThere else { return nil }
    return try await write { database in
      guard let (account, isMailed) = try database.loginLink(hash, at: now) else { return nil }
      guard isMailed else {
        try database.run("DELETE FROM login_link WHERE hash = ?", [hash])
        return try database.begin(session, of: account, at: now)
      }
      guard try database.useUp(proof, of: account) else { return nil }
      try database.forgetMailedLinks(of: account)
      try database.run("UPDATE account SET password_hash = '' WHERE id = ?", [account])
      let token = try database.begin(session, of: account, at: now)
      try database.auditSession(
        "password.forget", detail: "\(token.id)", by: Caller(token).from(session.origin ?? ""), at: now)
      return token
    }
  }

  /// Uses an index, because anybody may ask for any address.
  static let openAccountByEmail = "SELECT id FROM account WHERE email_key = lower(?) AND closed_at IS NULL"

  package func askForLoginLink(
    ofAccount email: String, notWithin interval: Duration, atMostInADay limit: Int, at now: Timestamp
  ) async throws {
    try await write { database in
      // Something is written in any case, so that the time taken does not tell whether there is such an account.
      try database.run("UPDATE setting SET value = value WHERE key = ?", [NoticeSetting.key])
      guard let account = try database.value(ID<Account>.self, Self.openAccountByEmail, [email]) else { return }
      func count(since time: Timestamp) throws -> Int {
        try database.value(
          Int.self, "SELECT COUNT(*) FROM notice WHERE account_id = ? AND kind = ? AND at > ? AND at <= ?",
          [account, Notice.Kind.loginLink, time, now]) ?? 0
      }
      guard try count(since: now - interval) == 0, try count(since: now - .seconds(86_400)) < limit else { return }
      try database.tell(.loginLink, of: account, at: now)
    }
  }

  package func passwordHash(ofAccount email: String) async throws -> String? {
    try await read { database in try database.password(where: "email = ?", [email]) }
  }

  package func passwordHash(of account: ID<Account>) async throws -> String? {
    try await read { database in try database.password(where: "id = ?", [account]) }
  }

  package func secondFactor(ofAccount email: String) async throws -> SecondFactor? {
    try await read { database in try database.secondFactor(where: "email = ?", [email]) }
  }

  package func secondFactor(of account: ID<Account>) async throws -> SecondFactor? {
    try await read { database in try database.secondFactor(where: "id = ?", [account]) }
  }

  package func beginSession(
    ofAccount email: String, whosePasswordHashIs hash: String, _ proof: FactorProof, _ session: NewSession,
    at now: Timestamp
  ) async throws -> Token? {
    try await write { database in
      guard !hash.isEmpty else { return nil }
      let account = try database.value(
        ID<Account>.self, "SELECT id FROM account WHERE email = ? AND password_hash = ? AND closed_at IS NULL",
        [email, hash])
      guard let account, try database.useUp(proof, of: account) else { return nil }
      return try database.begin(session, of: account, at: now)
    }
  }

  package func resetSignIn(of account: ID<Account>, at now: Timestamp) async throws -> Bool {
    try await write { database in
      guard let found = try database.account(account), found.closedAt == nil else { return false }
      try database.forgetSignIn(of: account, at: now)
      try database.auditOperator("account.reset_sign_in", account: account, at: now)
      return true
    }
  }

  package func setSecondFactor(_ factor: SecondFactor?, by caller: Caller, at now: Timestamp) async throws {
    try await write { database in
      if factor != nil, try database.secondFactor(where: "id = ?", [caller.accountID]) != nil {
        throw Failure(.conflict, "There is a second factor already.")
      }
      try database.forgetSecondFactor(of: caller.accountID)
      if let factor {
        try database.run(
          "UPDATE account SET totp_secret = ?, totp_step = ? WHERE id = ?",
          [factor.secret, factor.lastStep, caller.accountID])
        for hash in factor.recoveryHashes {
          try database.run(
            "INSERT INTO recovery_code (account_id, hash) VALUES (?, ?)", [caller.accountID, hash])
        }
      }
      try database.audit(factor == nil ? "second_factor.remove" : "second_factor.set", by: caller, at: now)
    }
  }

  package func sessions(of account: ID<Account>, at now: Timestamp) async throws -> [Token] {
    try await read { database in
      try database.all(
        """
        SELECT \(Token.columns) FROM token
        WHERE account_id = ? AND is_session = 1 AND revoked_at IS NULL AND expires_at > ? ORDER BY id DESC
        """,
        [account, now])
    }
  }

  package func endSession(_ id: ID<Token>, by caller: Caller, at now: Timestamp) async throws -> Bool {
    try await write { database in
      let ended = try database.run(
        "UPDATE token SET revoked_at = ? WHERE id = ? AND account_id = ? AND is_session = 1 AND revoked_at IS NULL",
        [now, id, caller.accountID])
      guard ended > 0 else { return false }
      try database.auditSession("session.end", detail: "\(id)", by: caller, at: now)
      return true
    }
  }

  package func setPassword(
    hash: String?, expecting expected: String?, by caller: Caller, at now: Timestamp
  ) async throws -> [ID<Token>] {
    try await write { database in
      guard try database.password(where: "id = ?", [caller.accountID]) == expected else {
        throw Failure(.conflict, "The password was changed meanwhile.")
      }
      try database.run("UPDATE account SET password_hash = ? WHERE id = ?", [hash ?? "", caller.accountID])
      // The second factor goes with the password: it is asked for only after a password or a mailed link.
      if hash == nil { try database.forgetSecondFactor(of: caller.accountID) }
      try database.run("DELETE FROM login_link WHERE account_id = ?", [caller.accountID])
      try database.forgetMailedLinks(of: caller.accountID)
      try database.audit(hash == nil ? "password.remove" : "password.set", by: caller, at: now)
      return try database.rows(
        """
        UPDATE token SET revoked_at = ? WHERE account_id = ? AND is_session = 1 AND revoked_at IS NULL AND id <> ?
        RETURNING id
        """,
        [now, caller.accountID, caller.tokenID]
      ) { row in try row.next() }
    }
  }
}

extension SQLConnection {
  fileprivate func loginLink(_ hash: TokenHash, at now: Timestamp) throws -> (account: ID<Account>, isMailed: Bool)? {
    try rows("SELECT account_id, is_mailed FROM login_link WHERE hash = ? AND expires_at > ?", [hash, now]) { row in
      (try row.next(ID<Account>.self), try row.next(Bool.self))
    }.first
  }

  fileprivate func password(where condition: String, _ arguments: SQLArguments) throws -> String? {
    try value(
      String.self,
      "SELECT password_hash FROM account WHERE \(condition) AND password_hash <> '' AND closed_at IS NULL", arguments)
  }

  fileprivate func secondFactor(where condition: String, _ arguments: SQLArguments) throws -> SecondFactor? {
    let found = try rows(
      "SELECT id, totp_secret, totp_step FROM account WHERE \(condition) AND totp_secret <> ''", arguments
    ) { row in (id: try row.next(ID<Account>.self), secret: try row.next(String.self), step: try row.next(Int64.self)) }
    guard let account = found.first else { return nil }
    let hashes = try rows("SELECT hash FROM recovery_code WHERE account_id = ?", [account.id]) { row in
      try row.next(String.self)
    }
    return SecondFactor(secret: account.secret, lastStep: account.step, recoveryHashes: Set(hashes))
  }

  /// Whether the mail still goes to the account's owner. Whatever deletes mailed links has deleted its notice, too.
  fileprivate func isAwaited(_ mail: NewLoginLink.Mail, by account: Account) throws -> Bool {
    let notice = try value(
      ID<Notice>.self, "SELECT id FROM notice WHERE id = ? AND account_id = ? AND kind = ? AND finished_at IS NULL",
      [mail.notice, account.id, Notice.Kind.loginLink])
    return notice != nil && account.email.utf8.elementsEqual(mail.recipient.utf8)
  }

  /// Deletes mailed links, and those that are still to be mailed.
  func forgetMailedLinks(of account: ID<Account>) throws {
    try run("DELETE FROM login_link WHERE account_id = ? AND is_mailed = 1", [account])
    try run(
      "DELETE FROM notice WHERE account_id = ? AND kind = ? AND finished_at IS NULL", [account, Notice.Kind.loginLink])
  }

  /// Removes all that signs in to an account: password, second factor, links and sessions.
  func forgetSignIn(of account: ID<Account>, at now: Timestamp) throws {
    try run("UPDATE account SET password_hash = '' WHERE id = ?", [account])
    try forgetSecondFactor(of: account)
    try run("DELETE FROM login_link WHERE account_id = ?", [account])
    try forgetMailedLinks(of: account)
    try run(
      "UPDATE token SET revoked_at = ? WHERE account_id = ? AND is_session = 1 AND revoked_at IS NULL", [now, account])
  }

  fileprivate func forgetSecondFactor(of account: ID<Account>) throws {
    try run("DELETE FROM recovery_code WHERE account_id = ?", [account])
    try run("UPDATE account SET totp_secret = '', totp_step = 0 WHERE id = ?", [account])
  }

  /// Uses the proof up. Returns false where it is not valid any more.
  fileprivate func useUp(_ proof: FactorProof, of account: ID<Account>) throws -> Bool {
    switch proof {
    case .none: try value(Int64.self, "SELECT id FROM account WHERE id = ? AND totp_secret = ''", [account]) != nil
    case .code(let step):
      try run(
        "UPDATE account SET totp_step = ? WHERE id = ? AND totp_secret <> '' AND totp_step < ?", [step, account, step])
        > 0
    case .recovery(let hash):
      try run("DELETE FROM recovery_code WHERE account_id = ? AND hash = ?", [account, hash]) > 0
    }
  }

  fileprivate func begin(_ session: NewSession, of account: ID<Account>, at now: Timestamp) throws -> Token {
    try requireOpen(account)
    try run(
      """
      UPDATE token SET revoked_at = ? WHERE id IN (
        SELECT id FROM token WHERE account_id = ? AND is_session = 1 AND revoked_at IS NULL
        ORDER BY id DESC LIMIT 1000 OFFSET ?)
      """,
      [now, account, session.quota - 1])
    let inserted: Token? = try first(
      """
      INSERT INTO token (account_id, name, hash, permissions, created_at, expires_at, is_session)
      VALUES (?, ?, ?, ?, ?, ?, 1)
      RETURNING \(Token.columns)
      """,
      [account, session.name, session.hash, Permission.everything.description, now, session.expiresAt])
    let token = try inserted.orFail("the session was not written")
    try auditSession("session.begin", detail: "\(token.id)", by: Caller(token).from(session.origin ?? ""), at: now)
    return token
  }
}
