import Core

extension SQLConnection {
  /// Remembers who did what, and from where. Throws where the caller has lost the right to do it.
  ///
  /// - Parameter operation: What carries it out; nil where it is done.
  func audit(
    _ action: String, on server: ID<Server>? = nil, operation: ID<Operation>? = nil, detail: String? = nil,
    by caller: Caller, at now: Timestamp
  ) throws {
    try markEffect(of: caller)
    try insertAudit(
      action, account: caller.accountID, token: caller.tokenID, server: server, operation: operation, detail: detail,
      origin: caller.origin, at: now)
  }

  /// The same for what the operator did with a command on the host.
  func auditOperator(
    _ action: String, account: ID<Account>? = nil, server: ID<Server>? = nil, operation: ID<Operation>? = nil,
    detail: String? = nil, at now: Timestamp
  ) throws {
    try insertAudit(
      action, account: account, token: nil, server: server, operation: operation, detail: detail, origin: "host",
      at: now)
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
