import Foundation

/// The time of day. Everything that waits or dates takes one, so that a test can hold it in its hand.
package protocol WallClock: Sendable {
  var now: Timestamp { get }
  func sleep(until deadline: Timestamp) async throws
}

package struct SystemClock: WallClock {
  package init() {}

  package var now: Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(millisecondsSinceEpoch: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
  }

  package func sleep(until deadline: Timestamp) async throws {
    let remaining = deadline - now
    if remaining > .zero {
      try await Task.sleep(for: remaining)
    }
  }
}
