package import Core

extension SQLStore {
  package func token(hash: TokenHash) async throws -> Token? {
    try await read { database in try database.first("SELECT \(Token.columns) FROM token WHERE hash = ?", [hash]) }
  }

  package func tokens(of account: ID<Account>?, after id: ID<Token>?, limit: Int) async throws -> [Token] {
    try await read { database in
      try database.all(
        "SELECT \(Token.columns) FROM token WHERE id > ?1 AND is_session = 0 AND (CAST(?2 AS BIGINT) IS NULL OR account_id = ?2) ORDER BY id LIMIT ?3",
        [id?.value ?? 0, account, limit])
    }
  }

  package func token(_ id: ID<Token>) async throws -> Token? {
    try await read { database in
      try database.first("SELECT \(Token.columns) FROM token WHERE id = ? AND is_session = 0", [id])
    }
  }

  package func tokenIDs(named name: String, limit: Int) async throws -> [ID<Token>] {
    try await read { database in
      try database.rows(
        "SELECT id FROM token WHERE revoked_at IS NULL AND is_session = 0 AND name = ? ORDER BY id LIMIT ?",
        [name, limit]
      ) { row in try row.next() }
    }
  }

  package func createToken(_ token: NewToken, at now: Timestamp) async throws -> Token {
    try await write { database in
      try database.requireOpen(token.accountID)
      let created = try database.insert(token, at: now)
      try database.auditOperator("token.create", account: created.accountID, detail: "\(created.id)", at: now)
      return created
    }
  }

  package func revokeToken(_ id: ID<Token>, at now: Timestamp) async throws -> Bool {
    try await write { database in
      let owner = try database.value(
        ID<Account>.self, "SELECT account_id FROM token WHERE id = ? AND is_session = 0", [id])
      guard let owner else { return false }
      for id in try database.revoke(id, of: owner, at: now) {
        try database.auditOperator("token.revoke", account: owner, detail: "\(id)", at: now)
      }
      return true
    }
  }

  package func recordTokenUse(_ uses: [ID<Token>: Timestamp]) async throws {
    guard !uses.isEmpty else { return }
    try await write { database in
      for (id, time) in uses {
        try database.run(
          "UPDATE token SET last_used_at = ? WHERE id = ? AND (last_used_at IS NULL OR last_used_at < ?)",
          [time, id, time])
      }
    }
  }
}

extension SQLConnection {
  /// - Parameter parent: The token that makes it; nil for the operator.
  func insert(_ token: NewToken, madeBy parent: ID<Token>? = nil, at now: Timestamp) throws -> Token {
    let inserted: Token? = try first(
      """
      INSERT INTO token (account_id, name, hash, permissions, created_at, expires_at, parent_id)
      VALUES (?, ?, ?, ?, ?, ?, ?)
      RETURNING \(Token.columns)
      """,
      [
        token.accountID, token.name, token.hash, token.permissions.map(\.description).joined(separator: " "), now,
        token.expiresAt, parent,
      ])
    return try inserted.orFail("the token was not written")
  }

  /// Revokes the token, all that were made with it, and all that were made with those. Returns those that were not revoked
  /// before.
  func revoke(_ id: ID<Token>, of account: ID<Account>, at now: Timestamp) throws -> [ID<Token>] {
    let family = try rows(
      """
      WITH RECURSIVE family (id) AS (
        SELECT id FROM token WHERE id = ? AND account_id = ? AND revoked_at IS NULL
        UNION SELECT token.id FROM token JOIN family ON token.parent_id = family.id WHERE token.revoked_at IS NULL)
      SELECT id FROM family ORDER BY id
      """,
      [id, account]
    ) { row in try row.next(ID<Token>.self) }
    for member in family { try run("UPDATE token SET revoked_at = ? WHERE id = ?", [now, member]) }
    return family
  }
}

extension Token: RowReadable {
  static let columns = """
    id, account_id, name, permissions, created_at, expires_at, last_used_at, revoked_at, parent_id, is_session, \
    (SELECT operator_suspension_reason FROM account WHERE account.id = token.account_id)
    """

  init(from row: inout RowReader) throws {
    self.init(
      id: try row.next(), accountID: try row.next(), name: try row.next(),
      permissions: try Self.permissions(in: row.next()), createdAt: try row.next(), expiresAt: try row.next(),
      lastUsedAt: try row.next(), revokedAt: try row.next(), parentID: try row.next(),
      isSession: try row.next(), suspensionReason: try row.next())
  }

  private static func permissions(in text: String) throws -> [Permission] {
    try text.split(separator: " ").map { word in
      try Permission(word).orFail("\(word) is no permission")
    }
  }
}
