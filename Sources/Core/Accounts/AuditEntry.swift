/// One change that somebody asked for.
package struct AuditEntry: Sendable, Equatable {
  package let at: Timestamp
  package let email: String
  /// The name of the token; nil where it was nobody's.
  package let tokenName: String?
  package let tokenID: ID<Token>?
  /// `server.create`, `ssh_key.delete`.
  package let action: String
  package let detail: String?
  package let serverID: ID<Server>?
  /// What became of the operation that it began; nil where it was done at once.
  package let outcome: Operation.State?

  package init(
    at: Timestamp, email: String, tokenName: String?, tokenID: ID<Token>?, action: String, detail: String?,
    serverID: ID<Server>?, outcome: Operation.State?
  ) {
    self.at = at
    self.email = email
    self.tokenName = tokenName
    self.tokenID = tokenID
    self.action = action
    self.detail = detail
    self.serverID = serverID
    self.outcome = outcome
  }
}
