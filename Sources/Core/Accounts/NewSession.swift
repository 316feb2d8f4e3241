/// A person who is about to be signed in to the panel.
package struct NewSession: Sendable {
  package let hash: TokenHash
  /// Which browser it is, by its own account.
  package let name: String
  package let expiresAt: Timestamp
  /// How many sessions an account may have at once, this one included: the oldest ones make room.
  package let quota: Int
  /// The address that it comes from, where there is one.
  package let origin: String?

  package init(hash: TokenHash, name: String, expiresAt: Timestamp, quota: Int, origin: String?) {
    self.hash = hash
    self.name = name
    self.expiresAt = expiresAt
    self.quota = quota
    self.origin = origin
  }
}

/// Signs whoever has it in, once.
/// A link that somebody who forgot a password has asked for, and that is good still.
package struct MailedLink: Sendable, Equatable {
  package let accountID: ID<Account>
  package let email: String
  package let needsCode: Bool

  package init(accountID: ID<Account>, email: String, needsCode: Bool) {
    self.accountID = accountID
    self.email = email
    self.needsCode = needsCode
  }
}

package struct NewLoginLink: Sendable {
  package let accountID: ID<Account>
  package let hash: TokenHash
  package let expiresAt: Timestamp
  /// How many an account may have that nobody has used, this one included: the oldest ones make room.
  package let quota: Int
  /// Whether whoever forgot a password has asked for it, and not the operator made it.
  package let isMailed: Bool

  package init(accountID: ID<Account>, hash: TokenHash, expiresAt: Timestamp, quota: Int, isMailed: Bool = false) {
    self.accountID = accountID
    self.hash = hash
    self.expiresAt = expiresAt
    self.quota = quota
    self.isMailed = isMailed
  }
}
