/// Failed attempts and rate limits, stored in the database, so that all services of it count together and no restart
/// resets them.
package protocol AttemptStore: Sendable {
  /// Counts an attempt about the subject as wrong, before it is checked. Returns the name of the attempt for
  /// `forgetTry`; nil, and counts nothing, if there were as many as the limit within the span.
  func beginTry(about subject: String, atMost limit: Int, within span: Duration, at now: Timestamp) async throws
    -> String?
  /// Removes the attempt from the count, because it was right.
  func forgetTry(_ name: String) async throws

  /// Takes one of the client's attempts per minute, from a token bucket that all services share: see `RateLimit`.
  /// Returns how long the client has to wait; nil if the attempt is allowed.
  func takeAttempt(of client: String, perMinute: Int, at now: Timestamp) async throws -> Duration?
}

/// Somebody who has passed a part of the sign-in, and still has to show the second factor.
package struct PendingSignIn: Sendable, Equatable {
  /// What they have shown so far.
  package enum Claim: Sendable, Equatable {
    /// A correct password, given by the crypt(3) hash that it matched.
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

/// How many sign-ins may wait for a second factor, in all and per account, and how many codes each may try.
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
