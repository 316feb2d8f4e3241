import Core

extension SQLConnection {
  /// Records who did what, and from where. Throws where the caller has lost the right to do it.
  ///
  /// - Parameter operation: The operation that will do it; nil where it is done.
  func audit(
    _ action: String, on server: ID<Server>? = nil, operation: ID<Operation>? = nil, detail: String? = nil,
    by caller: Caller, at now: Timestamp
  ) throws {
    try markEffect(of: caller)
    if caller.isOperating {
      try requireOperatorsToken(caller, at: now)
    } else {
      try requireMayChange(caller.accountID)
    }
    try insertAudit(
      action, account: caller.accountID, token: caller.tokenID, server: server, operation: operation, detail: detail,
      origin: caller.origin, at: now)
  }

  /// Checks the account again: the caller was authorised when the request began, by what was known a second before that.
  private func requireMayChange(_ id: ID<Account>) throws {
    let account = try account(id).orFail("there is no account \(id)")
    guard account.closedAt == nil else { throw Failure.tokenInvalid }
    if account.suspension.byOperatorSince != nil {
      throw Failure.accountSuspended(account.suspension.operatorReason ?? "")
    }
  }

  /// The same for signing in and out, which is allowed while the account is suspended, too.
  func auditSession(_ action: String, detail: String, by caller: Caller, at now: Timestamp) throws {
    try markEffect(of: caller)
    try insertAudit(
      action, account: caller.accountID, token: caller.tokenID, detail: detail, origin: caller.origin, at: now)
  }

  /// The same for what an operator did. Throws `notFound` for a person who is no operator any more: the request was let in by
  /// what was known a moment before.
  func auditOperator(
    _ action: String, by operator: Operator = .host, account: ID<Account>? = nil, server: ID<Server>? = nil,
    operation: ID<Operation>? = nil, detail: String? = nil, at now: Timestamp
  ) throws {
    switch `operator` {
    case .host:
      try insertAudit(
        action, account: account, token: nil, server: server, operation: operation, detail: detail, origin: "host",
        at: now)
    case .person(let caller), .program(let caller):
      try markEffect(of: caller)
      if case .person = `operator` {
        try requireOperator(caller, at: now)
      } else {
        try requireOperatorsToken(caller, at: now)
      }
      try insertAudit(
        action, account: account, token: caller.tokenID, server: server, operation: operation, detail: detail,
        origin: caller.origin, at: now)
    }
  }

  /// Throws `credentialsInvalid` where the program's token is not a valid operator's token any more, and where the token's own
  /// account is suspended.
  private func requireOperatorsToken(_ caller: Caller, at now: Timestamp) throws {
    let token: Token? = try first(
      "SELECT \(Token.columns) FROM token WHERE id = ? AND is_session = 0", [caller.tokenID])
    guard let token, token.isValid(at: now), token.isForOperators else { throw Failure.tokenInvalid }
    try requireMayChange(token.accountID)
  }

  private func requireOperator(_ caller: Caller, at now: Timestamp) throws {
    let session = try value(
      Int64.self,
      """
      SELECT token.id FROM token JOIN account ON account.id = token.account_id
      WHERE token.id = ? AND token.is_session = 1 AND token.revoked_at IS NULL
        AND (token.expires_at IS NULL OR token.expires_at > ?)
        AND account.is_operator = 1 AND account.closed_at IS NULL AND account.operator_suspended_at IS NULL
      """,
      [caller.tokenID, now])
    guard session != nil else { throw Failure.notFound }
  }

  private func insertAudit(
    _ action: String, account: ID<Account>?, token: ID<Token>?, server: ID<Server>? = nil,
    operation: ID<Operation>? = nil, detail: String?, origin: String?, at now: Timestamp
  ) throws {
    try run(
      """
      INSERT INTO audit (at, account_id, token_id, server_id, operation_id, action, detail, origin)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)
      """,
      [now, account, token, server, operation, action, detail, origin])
  }
}
