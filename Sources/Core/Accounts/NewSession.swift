/// A panel session that is about to begin.
package struct NewSession: Sendable {
  package let hash: TokenHash
  /// The name of the browser, read from the User-Agent header that it sent.
  package let name: String
  package let expiresAt: Timestamp
  /// How many sessions an account may have at once, this one included; the oldest ones beyond that are revoked.
  package let quota: Int
  /// The IP address that the session was begun from; nil if there is none.
  package let origin: String?

  package init(hash: TokenHash, name: String, expiresAt: Timestamp, quota: Int, origin: String?) {
    self.hash = hash
    self.name = name
    self.expiresAt = expiresAt
    self.quota = quota
    self.origin = origin
  }
}

/// A login link that was mailed to somebody who forgot a password, and that is still valid.
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

/// A link that signs in whoever opens it, once.
package struct NewLoginLink: Sendable {
  /// The mail to somebody who forgot a password.
  package struct Mail: Sendable {
    package let notice: ID<Notice>
    package let recipient: String

    package init(notice: ID<Notice>, recipient: String) {
      self.notice = notice
      self.recipient = recipient
    }
  }

  package let accountID: ID<Account>
  package let hash: TokenHash
  package let expiresAt: Timestamp
  /// How many unused links an account may have, this one included; the oldest ones beyond that are deleted.
  package let quota: Int
  /// What it goes into; nil if the operator made it.
  package let mail: Mail?

  package init(accountID: ID<Account>, hash: TokenHash, expiresAt: Timestamp, quota: Int, mail: Mail? = nil) {
    self.accountID = accountID
    self.hash = hash
    self.expiresAt = expiresAt
    self.quota = quota
    self.mail = mail
  }
}
