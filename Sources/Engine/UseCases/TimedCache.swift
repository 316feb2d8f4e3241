import Core
import Synchronization

/// Keeps one value for a moment. Other processes write to the store too, so nothing is kept for longer than a second.
final class TimedCache<Value: Sendable>: Sendable {
  private struct State {
    var kept: (value: Value, readAt: Instant)?
    var timesForgotten = 0
  }

  private let lifetime: Duration
  private let clock: any WallClock
  private let state = Mutex(State())

  init(lifetime: Duration = .seconds(1), clock: any WallClock) {
    self.lifetime = lifetime
    self.clock = clock
  }

  func value(orRead read: () async throws -> Value) async throws -> Value {
    let now = clock.uptime
    let (kept, timesForgotten) = state.withLock { ($0.kept, $0.timesForgotten) }
    if let kept, now - kept.readAt < lifetime { return kept.value }
    let value = try await read()
    state.withLock { state in
      // What was read before it was to be forgotten is not for those who ask later.
      if state.timesForgotten == timesForgotten { state.kept = (value, now) }
    }
    return value
  }

  /// Whoever asks from now on gets a value that is read from now on.
  func forget() {
    state.withLock { state in
      state.timesForgotten += 1
      state.kept = nil
    }
  }
}
