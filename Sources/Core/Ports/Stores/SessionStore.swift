/// Persons who are signed in to the panel. Their sessions are tokens of a kind of their own: see `AccountStore`.
package protocol SessionStore: Sendable {
  /// Returns false where there is no such account, or it is closed.
  func createLoginLink(_ link: NewLoginLink, by operator: Operator, at now: Timestamp) async throws -> Bool
  /// Nil for a link that was not mailed, or is good no more.
  func mailedLink(_ hash: TokenHash, at now: Timestamp) async throws -> MailedLink?
  /// Uses the link up, and begins a session of its account; nil where there is no such link, or it has expired, or was mailed and
  /// the proof is none. With one that was mailed, the password that was forgotten is gone, and so are all others that were
  /// mailed.
  func redeemLoginLink(
    _ hash: TokenHash, _ proof: FactorProof, for session: NewSession, at now: Timestamp
  ) async throws -> Token?
  /// Has a link mailed to the owner of the account, where there is one, unless that was done within this time, or so often in a day.
  /// It takes as long where there is none.
  func askForLoginLink(
    ofAccount email: String, notWithin interval: Duration, atMostInADay limit: Int, at now: Timestamp
  ) async throws
  /// The crypt(3) of the account's password; nil where it has none, or there is no such account, or it is closed.
  func passwordHash(ofAccount email: String) async throws -> String?
  func passwordHash(of account: ID<Account>) async throws -> String?
  /// Nil where there is none.
  func secondFactor(ofAccount email: String) async throws -> SecondFactor?
  func secondFactor(of account: ID<Account>) async throws -> SecondFactor?
  /// Begins a session of the account, unless its password is not this one any more, or the proof is none, or was used up.
  func beginSession(
    ofAccount email: String, whosePasswordHashIs hash: String, _ proof: FactorProof, _ session: NewSession,
    at now: Timestamp
  ) async throws -> Token?
  /// Takes password and second factor away, and ends all sessions. Returns false where there is no such account, or it is closed.
  func resetSignIn(of account: ID<Account>, at now: Timestamp) async throws -> Bool
  /// Puts another one in the place of what there is; nil takes it away. Throws `conflict` where there is one, and it is not to
  /// go.
  func setSecondFactor(_ factor: SecondFactor?, by caller: Caller, at now: Timestamp) async throws
  /// Keeps what was shown by somebody of whom a second factor is asked, under the hash of what their browser comes back with. Where
  /// there are too many, the oldest goes, of the same account where it is that which has too many.
  func keep(
    _ pending: PendingSignIn, hash: String, until deadline: Timestamp, limits: PendingSignInLimits, at now: Timestamp
  ) async throws
  /// Takes one of its tries; nil where there are none left, or it is good no more.
  func tryPendingSignIn(hash: String, limits: PendingSignInLimits, at now: Timestamp) async throws -> PendingSignIn?
  func forgetPendingSignIn(hash: String) async throws
  /// Those that are valid, newest first.
  func sessions(of account: ID<Account>, at now: Timestamp) async throws -> [Token]
  /// Returns false where the caller's account has no such session.
  func endSession(_ id: ID<Token>, by caller: Caller, at now: Timestamp) async throws -> Bool
  /// Ends all sessions of the account but the caller's, and forgets its links. Returns those that were ended.
  ///
  /// - Parameters:
  ///   - hash: The crypt(3) of the password; nil for none.
  ///   - expected: What it was; nil for none. Throws `conflict` where it is another one by now.
  func setPassword(
    hash: String?, expecting expected: String?, by caller: Caller, at now: Timestamp
  ) async throws -> [ID<Token>]
}
