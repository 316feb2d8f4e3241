/// People who are signed in to the panel. Their sessions are stored as tokens of a special kind: see `AccountStore`.
package protocol SessionStore: Sendable {
  /// Returns false if there is no such account, or if it is closed; for a link that is to be mailed also if its notice
  /// is gone, or the recipient's address is not the account's any more.
  func createLoginLink(_ link: NewLoginLink, by operator: Operator, at now: Timestamp) async throws -> Bool
  /// Nil if the link was not mailed, or is not valid any more.
  func mailedLink(_ hash: TokenHash, at now: Timestamp) async throws -> MailedLink?
  /// Uses the link up, and begins a session of its account. Nil if there is no such link, if it has expired, or if it
  /// was mailed and the proof of the second factor is wrong. A mailed link also removes the forgotten password, and all
  /// other mailed links.
  func redeemLoginLink(
    _ hash: TokenHash, _ proof: FactorProof, for session: NewSession, at now: Timestamp
  ) async throws -> Token?
  /// Queues the mail of a login link to the account's owner, if there is such an account, unless this was done within
  /// the interval, or as often as the limit in a day. It takes as long if there is no account.
  func askForLoginLink(
    ofAccount email: String, notWithin interval: Duration, atMostInADay limit: Int, at now: Timestamp
  ) async throws
  /// The crypt(3) hash of the account's password; nil if it has none, there is no such account, or it is closed.
  func passwordHash(ofAccount email: String) async throws -> String?
  func passwordHash(of account: ID<Account>) async throws -> String?
  /// Nil if there is none.
  func secondFactor(ofAccount email: String) async throws -> SecondFactor?
  func secondFactor(of account: ID<Account>) async throws -> SecondFactor?
  /// Begins a session of the account. Nil if its password hash is not this one any more, or if the proof of the second
  /// factor is wrong or was used before.
  func beginSession(
    ofAccount email: String, whosePasswordHashIs hash: String, _ proof: FactorProof, _ session: NewSession,
    at now: Timestamp
  ) async throws -> Token?
  /// Removes password, second factor and login links, and ends all sessions. Returns false if there is no such account,
  /// or if it is closed.
  func resetSignIn(of account: ID<Account>, at now: Timestamp) async throws -> Bool
  /// Sets a second factor; nil removes it. Throws `conflict` if one is to be set and there is one already.
  func setSecondFactor(_ factor: SecondFactor?, by caller: Caller, at now: Timestamp) async throws
  /// Stores a sign-in that waits for its second factor, under the hash of the text that the browser comes back with. If
  /// there are too many, the oldest one is deleted, of the same account if that one has too many.
  func keep(
    _ pending: PendingSignIn, hash: String, until deadline: Timestamp, limits: PendingSignInLimits, at now: Timestamp
  ) async throws
  /// Uses one of its tries; nil if none is left, or if it has expired.
  func tryPendingSignIn(hash: String, limits: PendingSignInLimits, at now: Timestamp) async throws -> PendingSignIn?
  func forgetPendingSignIn(hash: String) async throws
  /// The valid sessions, newest first.
  func sessions(of account: ID<Account>, at now: Timestamp) async throws -> [Token]
  /// Returns false if the caller's account has no such session.
  func endSession(_ id: ID<Token>, by caller: Caller, at now: Timestamp) async throws -> Bool
  /// Sets the password, ends all sessions of the account but the caller's, and deletes its login links. Returns the
  /// ended sessions.
  ///
  /// - Parameters:
  ///   - hash: The crypt(3) hash of the new password; nil removes the password, and the second factor with it.
  ///   - expected: The hash of the present password; nil for none. Throws `conflict` if it is another one by now.
  func setPassword(
    hash: String?, expecting expected: String?, by caller: Caller, at now: Timestamp
  ) async throws -> [ID<Token>]
}
