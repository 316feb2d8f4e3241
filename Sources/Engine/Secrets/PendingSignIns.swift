import Core

/// Those who have said their password, or come by a link that was mailed, and not yet said their second factor: for a few minutes
/// and a few tries.
struct PendingSignIns: Sendable {
  private static let lifetime = Duration.seconds(300)
  private static let limits = PendingSignInLimits(inAll: 1000, ofOne: 5, tries: 5)

  let store: any SessionStore

  /// Returns what the browser comes back with.
  func add(_ email: String, _ claim: PendingSignIn.Claim, at now: Timestamp) async throws -> String {
    let text = RandomText.make()
    try await store.keep(
      PendingSignIn(email: email, claim: claim), hash: Self.hash(text), until: now + Self.lifetime,
      limits: Self.limits, at: now)
    return text
  }

  /// Takes one of its tries; nil where there are none left.
  func attempt(_ text: String, at now: Timestamp) async throws -> PendingSignIn? {
    guard RandomText.isPossible(text) else { return nil }
    return try await store.tryPendingSignIn(hash: Self.hash(text), limits: Self.limits, at: now)
  }

  func forget(_ text: String) async throws { try await store.forgetPendingSignIn(hash: Self.hash(text)) }

  private static func hash(_ text: String) -> String { SHA256.hexadecimal(Array("vpsd pending sign-in\n\(text)".utf8)) }
}
