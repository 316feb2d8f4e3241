import Core

/// Sign-ins that wait for the second factor, after a password or a mailed link. Each lasts for a few minutes and a few tries.
struct PendingSignIns: Sendable {
  private static let lifetime = Duration.seconds(300)
  private static let limits = PendingSignInLimits(inAll: 1000, ofOne: 5, tries: 5)

  let store: any SessionStore

  /// Returns the text with which the browser continues the sign-in.
  func add(_ email: String, _ claim: PendingSignIn.Claim, at now: Timestamp) async throws -> String {
    let text = RandomText.make()
    try await store.keep(
      PendingSignIn(email: email, claim: claim), hash: Self.hash(text), until: now + Self.lifetime,
      limits: Self.limits, at: now)
    return text
  }

  /// Uses up one try; nil where no try is left or the sign-in has expired.
  func attempt(_ text: String, at now: Timestamp) async throws -> PendingSignIn? {
    guard RandomText.isPossible(text) else { return nil }
    return try await store.tryPendingSignIn(hash: Self.hash(text), limits: Self.limits, at: now)
  }

  func forget(_ text: String) async throws { try await store.forgetPendingSignIn(hash: Self.hash(text)) }

  private static func hash(_ text: String) -> String { SHA256.hexadecimal(Array("vpsd pending sign-in\n\(text)".utf8)) }
}
