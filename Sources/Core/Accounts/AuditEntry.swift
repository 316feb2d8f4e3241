/// An entry of the audit trail: one change that somebody asked for.
package struct AuditEntry: Sendable, Equatable {
  package let id: ID<AuditEntry>
  package let at: Timestamp
  /// The e-mail address of the account concerned; nil if the whole installation is concerned.
  package let email: String?
  package let accountID: ID<Account>?
  /// The name of the token that was used; nil if the operator made the change on the host.
  package let tokenName: String?
  package let tokenID: ID<Token>?
  /// The e-mail address of the account that the token belongs to; nil if the operator made the change on the host.
  package let tokenEmail: String?
  /// `server.create`, `ssh_key.delete`.
  package let action: String
  package let detail: String?
  package let serverID: ID<Server>?
  /// The state of the operation that the change queued; nil if it queued none.
  package let outcome: Operation.State?
  /// The client's IP address, or `host` for a command on the host; nil for old entries from before it was recorded.
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

/// The keys that audit entries can be sorted by.
package enum AuditKey: String, Sendable, CaseIterable {
  case id
}

/// Selects audit entries; a field that is nil matches every entry.
package struct AuditFilter: Sendable, Equatable {
  package var accountID: ID<Account>?
  /// Also finds entries about a deleted server.
  package var serverID: ID<Server>?

  package init() {}
}
