/// Who was wrong, and how often: by a row, so that all services of a database count together and no restart forgets.
package protocol AttemptStore: Sendable {
  /// Counts one more try about the subject, before anybody knows whether it is right. Returns its name, to be forgotten by;
  /// nil where there were as many within the span.
  func beginTry(about subject: String, atMost limit: Int, within span: Duration, at now: Timestamp) async throws
    -> String?
  /// It was right.
  func forgetTry(_ name: String) async throws

  /// A bucket of a minute that drips, of all services together: see `RateLimit`. Returns for how long the client has to wait; nil
  /// where it need not.
  func takeAttempt(of client: String, perMinute: Int, at now: Timestamp) async throws -> Duration?
}

/// Who has shown a part of what it takes to sign in.
package struct PendingSignIn: Sendable, Equatable {
  /// What they have shown.
  package enum Claim: Sendable, Equatable {
    /// The crypt(3) of a password that was right.
    case password(hash: String)
    case link(TokenHash, ID<Account>)
  }

  package let email: String
  package let claim: Claim

  package init(email: String, claim: Claim) {
    self.email = email
    self.claim = claim
  }
}

/// How many there may be of what waits for a second factor.
package struct PendingSignInLimits: Sendable {
  package let inAll: Int
  package let ofOne: Int
  package let tries: Int

  package init(inAll: Int, ofOne: Int, tries: Int) {
    self.inAll = inAll
    self.ofOne = ofOne
    self.tries = tries
  }
}
