package import Core

extension SQLStore {
  package func tokens(
    of account: ID<Account>, named name: String?, order: [ListOrder<TokenKey>], page: PageRequest
  ) async throws -> Page<Token> {
    try await read { database in
      try database.page(
        page, ofTable: "token", where: "revoked_at IS NULL AND is_session = 0", of: account, named: name,
        by: OrderClause(order))
    }
  }

  package func token(_ id: ID<Token>, of account: ID<Account>) async throws -> Token? {
    try await read { database in
      try database.first(
        "SELECT \(Token.columns) FROM token WHERE id = ? AND account_id = ? AND revoked_at IS NULL", [id, account])
    }
  }

  package func createToken(_ token: NewToken, by caller: Caller, at now: Timestamp) async throws -> Token {
    try await write { database in
      try database.requireValid(caller.tokenID, at: now)
      try database.requireQuota(for: token, at: now)
      if caller.isOperating { try database.requireChangeable(token.accountID, by: .program(caller)) }
      // A token made in a session outlives the session, and one made by an operator does not depend on the operator's token.
      let parent = caller.principal.kind == .session ? nil : caller.requesterID
      let created = try database.insert(token, madeBy: parent, at: now)
      try database.audit("token.create", detail: "\(created.id)", by: caller, at: now)
      return created
    }
  }

  package func revokeToken(_ id: ID<Token>, by caller: Caller, at now: Timestamp) async throws -> [ID<Token>] {
    try await write { database in
      if caller.isOperating { try database.requireChangeable(caller.accountID, by: .program(caller)) }
      let revoked = try database.revoke(id, of: caller.accountID, at: now)
      for id in revoked { try database.audit("token.revoke", detail: "\(id)", by: caller, at: now) }
      return revoked
    }
  }
}

extension SQLConnection {
  /// Checks the caller's token again: its cached row may be a second old, and a revoked token must not make another one.
  fileprivate func requireValid(_ token: ID<Token>, at now: Timestamp) throws {
    let valid = try value(
      Int64.self,
      "SELECT id FROM token WHERE id = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)",
      [token, now])
    guard valid != nil else { throw Failure.tokenInvalid }
  }

  fileprivate func requireQuota(for token: NewToken, at now: Timestamp) throws {
    guard let quota = token.quota else { return }
    if try tokenCount(of: token.accountID) < quota { return }
    // Expired tokens are of no use, and customers should not have to remove them before they make another one.
    try run(
      """
      UPDATE token SET revoked_at = expires_at
      WHERE account_id = ? AND is_session = 0 AND revoked_at IS NULL AND expires_at <= ?
      """,
      [token.accountID, now])
    guard try tokenCount(of: token.accountID) < quota else {
      throw Failure(.permissionDenied, "Token quota reached (\(quota)).")
    }
  }

  private func tokenCount(of account: ID<Account>) throws -> Int {
    try value(
      Int.self, "SELECT COUNT(*) FROM token WHERE account_id = ? AND is_session = 0 AND revoked_at IS NULL", [account]
    ) ?? 0
  }
}
