/// Passwords that are to be set in guests by the service that has their host, where another service was asked.
package protocol PasswordResetStore: Sendable {
  /// Stores the reset for the service that has the server's host, and notifies it. Returns false if another reset of the
  /// server is under way. Resets whose deadline has passed are removed.
  func ask(for reset: PasswordReset, until deadline: Timestamp, at now: Timestamp) async throws -> Bool
  /// What became of the reset; nil while nobody has said, or if it is not stored.
  func outcome(of reset: PasswordReset) async throws -> PasswordReset.Outcome?
  func forget(_ reset: PasswordReset) async throws
  /// The resets of the host that nobody has carried out yet, and whose deadline has not passed, the oldest first.
  func passwordResets(on host: ID<Host>, limit: Int, at now: Timestamp) async throws -> [PasswordReset]
  /// Records what became of the reset, and notifies the service that was asked. Does nothing if it is not stored any more.
  func record(_ outcome: PasswordReset.Outcome, of reset: PasswordReset) async throws
}
