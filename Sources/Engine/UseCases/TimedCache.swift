import Core
import Synchronization

/// Keeps one value for a moment. Other processes write to the store too, so nothing is kept for longer than a second.
final class TimedCache<Value: Sendable>: Sendable {
  private let lifetime: Duration
  private let clock: any WallClock
  private let kept = Mutex<(value: Value, readAt: Instant)?>(nil)

  init(lifetime: Duration = .seconds(1), clock: any WallClock) {
    self.lifetime = lifetime
    self.clock = clock
  }

  func value(orRead read: () async throws -> Value) async throws -> Value {
    let now = clock.uptime
    if let kept = kept.withLock({ $0 }), now - kept.readAt < lifetime { return kept.value }
    let value = try await read()
    kept.withLock { $0 = (value, now) }
    return value
  }
}
