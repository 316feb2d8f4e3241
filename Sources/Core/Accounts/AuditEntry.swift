/// One change that somebody asked for.
package struct AuditEntry: Sendable, Equatable {
  package let id: ID<AuditEntry>
  package let at: Timestamp
  /// Whose account it was about; nil for the whole installation.
  package let email: String?
  package let accountID: ID<Account>?
  /// The name of the token; nil where the operator did it.
  package let tokenName: String?
  package let tokenID: ID<Token>?
  /// The e-mail address of whoever the token is of; nil where the operator did it on the host.
  package let tokenEmail: String?
  /// `server.create`, `ssh_key.delete`.
  package let action: String
  package let detail: String?
  package let serverID: ID<Server>?
  /// What became of the operation that it began; nil where it was done at once.
  package let outcome: Operation.State?
  /// The client's address, or `host` for a command on it; nil where that was not written down yet.
  package let origin: String?

  package init(
    id: ID<AuditEntry>, at: Timestamp, email: String?, tokenName: String?, tokenID: ID<Token>?, tokenEmail: String?,
    action: String, detail: String?, serverID: ID<Server>?, outcome: Operation.State?, origin: String?,
    accountID: ID<Account>? = nil
  ) {
    self.id = id
    self.at = at
    self.email = email
    self.accountID = accountID
    self.tokenName = tokenName
    self.tokenID = tokenID
    self.tokenEmail = tokenEmail
    self.action = action
    self.detail = detail
    self.serverID = serverID
    self.outcome = outcome
    self.origin = origin
  }
}

/// By what changes can be ordered.
package enum AuditKey: String, Sendable, CaseIterable {
  case id
}

/// Which changes; nil for any.
package struct AuditFilter: Sendable, Equatable {
  package var accountID: ID<Account>?
  /// Deleted ones too.
  package var serverID: ID<Server>?

  package init() {}
}
