package import Core

extension SQLStore {
  package func createLoginLink(_ link: NewLoginLink, at now: Timestamp) async throws -> Bool {
    try await write { database in
      guard let account = try database.account(link.accountID), account.closedAt == nil else { return false }
      try database.run("DELETE FROM login_link WHERE account_id = ? AND expires_at <= ?", [account.id, now])
      try database.run(
        """
        DELETE FROM login_link WHERE id IN (
          SELECT id FROM login_link WHERE account_id = ? ORDER BY id DESC LIMIT 1000 OFFSET ?)
        """,
        [account.id, link.quota - 1])
      try database.run(
        "INSERT INTO login_link (hash, account_id, created_at, expires_at) VALUES (?, ?, ?, ?)",
        [link.hash, account.id, now, link.expiresAt])
      try database.auditOperator("account.login_link", account: account.id, at: now)
      return true
    }
  }

  package func redeemLoginLink(
    _ hash: TokenHash, for session: NewSession, at now: Timestamp
  ) async throws -> Token? {
    try await write { database in
      let account = try database.value(
        ID<Account>.self, "DELETE FROM login_link WHERE hash = ? AND expires_at > ? RETURNING account_id", [hash, now])
      guard let account else { return nil }
      return try database.begin(session, of: account, at: now)
    }
  }

  package func passwordHash(ofAccount email: String) async throws -> String? {
    try await read { database in try database.password(where: "email = ?", [email]) }
  }

  package func passwordHash(of account: ID<Account>) async throws -> String? {
    try await read { database in try database.password(where: "id = ?", [account]) }
  }

  package func beginSession(
    ofAccount email: String, whosePasswordHashIs hash: String, _ session: NewSession, at now: Timestamp
  ) async throws -> Token? {
    try await write { database in
      guard !hash.isEmpty else { return nil }
      let account = try database.value(
        ID<Account>.self, "SELECT id FROM account WHERE email = ? AND password_hash = ? AND closed_at IS NULL",
        [email, hash])
      guard let account else { return nil }
      return try database.begin(session, of: account, at: now)
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
      try database.run("DELETE FROM login_link WHERE account_id = ?", [caller.accountID])
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
  fileprivate func password(where condition: String, _ arguments: SQLArguments) throws -> String? {
    try value(
      String.self,
      "SELECT password_hash FROM account WHERE \(condition) AND password_hash <> '' AND closed_at IS NULL", arguments)
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
