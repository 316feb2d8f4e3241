/// The time of day and the uptime. The time of day is only for dates: it can be set forward or back at any moment.
/// Whatever waits, or measures a duration, uses the uptime. Code that needs either takes a clock as a parameter, so
/// that tests can control it.
package protocol WallClock: Sendable {
  /// The time of day.
  var now: Timestamp { get }
  /// Advances steadily, except while the host is suspended. It is meaningful only within this process.
  var uptime: Instant { get }
  func sleep(for duration: Duration) async throws
}

extension WallClock {
  package func sleep(until deadline: Instant) async throws {
    try await sleep(for: deadline - uptime)
  }
}

/// A point in time by the uptime of a clock.
package struct Instant: Hashable, Comparable, Sendable {
  /// Since an arbitrary start of the clock.
  package let elapsed: Duration

  package init(elapsed: Duration) {
    self.elapsed = elapsed
  }

  package static func < (left: Self, right: Self) -> Bool { left.elapsed < right.elapsed }
  package static func + (left: Self, right: Duration) -> Self { Self(elapsed: left.elapsed + right) }
  package static func - (left: Self, right: Duration) -> Self { Self(elapsed: left.elapsed - right) }
  package static func - (left: Self, right: Self) -> Duration { left.elapsed - right.elapsed }
}
