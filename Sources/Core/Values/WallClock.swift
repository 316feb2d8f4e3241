import Foundation

/// The time of day, and the time that passes. The first is for dates alone: it can be set, ahead and back, at any moment.
/// Whatever waits, or measures how long something takes, goes by the second. Everything that dates or waits takes one, so that
/// a test can hold it in its hand.
package protocol WallClock: Sendable {
  /// The time of day.
  var now: Timestamp { get }
  /// Passes evenly, but for the time that the host itself is suspended, and means something within this process only.
  var uptime: Instant { get }
  func sleep(for duration: Duration) async throws
}

extension WallClock {
  package func sleep(until deadline: Instant) async throws {
    try await sleep(for: deadline - uptime)
  }
}

/// A moment in the life of a process.
package struct Instant: Hashable, Comparable, Sendable {
  /// Since whatever moment its clock counts from.
  package let elapsed: Duration

  package init(elapsed: Duration) {
    self.elapsed = elapsed
  }

  package static func < (left: Self, right: Self) -> Bool { left.elapsed < right.elapsed }
  package static func + (left: Self, right: Duration) -> Self { Self(elapsed: left.elapsed + right) }
  package static func - (left: Self, right: Duration) -> Self { Self(elapsed: left.elapsed - right) }
  package static func - (left: Self, right: Self) -> Duration { left.elapsed - right.elapsed }
}

package struct SystemClock: WallClock {
  private static let start = SuspendingClock.now

  package init() {}

  package var now: Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(millisecondsSinceEpoch: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
  }

  package var uptime: Instant { Instant(elapsed: SuspendingClock.now - Self.start) }

  package func sleep(for duration: Duration) async throws {
    if duration > .zero { try await Task.sleep(for: duration, clock: .suspending) }
  }
}
