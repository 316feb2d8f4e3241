/// A bearer token as it is stored. Its text is shown once, when it is made, and never kept.
package struct Token: Sendable, Equatable {
  package let id: ID<Token>
  package let accountID: ID<Account>
  package let name: String
  package let permissions: [Permission]
  package let createdAt: Timestamp
  package let expiresAt: Timestamp?
  package let lastUsedAt: Timestamp?
  package let revokedAt: Timestamp?
  /// Whether it is that of a person who is signed in to the panel: a browser has it as a cookie, and it is good for nothing else.
  package let isSession: Bool
  /// The token that made it, and takes it along when it is revoked; nil where the operator made it, or a person did.
  package let parentID: ID<Token>?
  /// Why its account may change nothing; nil where it may.
  package let suspensionReason: String?

  package init(
    id: ID<Token>, accountID: ID<Account>, name: String, permissions: [Permission], createdAt: Timestamp,
    expiresAt: Timestamp?, lastUsedAt: Timestamp?, revokedAt: Timestamp?, parentID: ID<Token>?,
    isSession: Bool = false, suspensionReason: String? = nil
  ) {
    self.id = id
    self.accountID = accountID
    self.name = name
    self.permissions = permissions
    self.createdAt = createdAt
    self.expiresAt = expiresAt
    self.lastUsedAt = lastUsedAt
    self.revokedAt = revokedAt
    self.parentID = parentID
    self.isSession = isSession
    self.suspensionReason = suspensionReason
  }

  package func isValid(at now: Timestamp) -> Bool {
    revokedAt == nil && expiresAt.map { now < $0 } ?? true
  }

  package var isForOperators: Bool { permissions.contains { $0.resource == .operator } }
}

/// The SHA-256 of a token's text, in hexadecimal.
package struct TokenHash: Hashable, Sendable {
  package let hexadecimal: String

  package init(hexadecimal: String) {
    self.hexadecimal = hexadecimal
  }
}

package struct NewToken: Sendable {
  package let accountID: ID<Account>
  package let name: String
  package let hash: TokenHash
  package let permissions: [Permission]
  package let expiresAt: Timestamp?
  /// How many tokens the account may have, this one included; nil for as many as it likes.
  package let quota: Int?

  package init(
    accountID: ID<Account>, name: String, hash: TokenHash, permissions: [Permission], expiresAt: Timestamp?,
    quota: Int? = nil
  ) {
    self.accountID = accountID
    self.name = name
    self.hash = hash
    self.permissions = permissions
    self.expiresAt = expiresAt
    self.quota = quota
  }
}

/// By what tokens can be ordered.
package enum TokenKey: String, Sendable, CaseIterable {
  case id
  case name
  case createdAt = "created_at"
}
