package import Core

/// How often a client may try in a minute. Where several services have one database it is at all of them together: who is refused by
/// one of them alone costs the database nothing.
package struct ClientLimit: Sendable {
  private let perMinute: Int
  private let purpose: String
  private let own: RateLimit<String>
  private let shared: (any AttemptStore)?
  private let clock: any WallClock

  /// Nil where there is no limit.
  ///
  /// - Parameters:
  ///   - purpose: What is tried: each is counted by itself.
  ///   - shared: Where all services count; nil where there is one.
  package init?(perMinute: Int, purpose: String, shared: (any AttemptStore)?, clock: any WallClock) {
    guard let own = RateLimit<String>(perMinute: perMinute, clock: clock) else { return nil }
    self.perMinute = perMinute
    self.purpose = purpose
    self.own = own
    self.shared = shared
    self.clock = clock
  }

  /// Throws where it is one too many.
  package func take(_ client: String) async throws {
    try own.take(client).throwIfRefused()
    guard let shared else { return }
    let wait = try await shared.takeAttempt(of: "\(purpose) \(client)", perMinute: perMinute, at: clock.now)
    if let wait { throw Rejection.throttled(seconds: Int((wait.milliseconds + 999) / 1000)) }
  }
}
