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
  /// Whether it is a session of the panel. The browser holds it as a cookie, and it is accepted nowhere else.
  package let isSession: Bool
  /// The token that created this one: revoking it revokes this one, too. Nil if the operator or a person in the panel
  /// did.
  package let parentID: ID<Token>?
  /// Why the operator has suspended its account, which may then change nothing; nil if it is not suspended.
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

/// The keys that tokens can be sorted by.
package enum TokenKey: String, Sendable, CaseIterable {
  case id
  case name
  case createdAt = "created_at"
}
