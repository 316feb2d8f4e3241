package import Core

/// Limits how often a client may try in a minute. Services that share a database count together; a client that this
/// service refuses by its own count costs the database nothing.
package struct ClientLimit: Sendable {
  private let perMinute: Int
  private let purpose: String
  private let own: RateLimit<String>
  private let shared: (any AttemptStore)?
  private let clock: any WallClock

  /// Nil if there is no limit.
  ///
  /// - Parameters:
  ///   - purpose: What the attempts are for: each purpose is counted separately.
  ///   - shared: Where all services count; nil for a single service.
  package init?(perMinute: Int, purpose: String, shared: (any AttemptStore)?, clock: any WallClock) {
    guard let own = RateLimit<String>(perMinute: perMinute, clock: clock) else { return nil }
    self.perMinute = perMinute
    self.purpose = purpose
    self.own = own
    self.shared = shared
    self.clock = clock
  }

  /// Throws if the client has reached its limit.
  package func take(_ client: String) async throws {
    try own.take(client).throwIfRefused()
    guard let shared else { return }
    let wait = try await shared.takeAttempt(of: "\(purpose) \(client)", perMinute: perMinute, at: clock.now)
    if let wait { throw Rejection.throttled(seconds: Int((wait.milliseconds + 999) / 1000)) }
  }
}
