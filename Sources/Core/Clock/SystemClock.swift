import Foundation

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
    if duration > .zero { try await SleepingTasks.all.sleep(for: duration) }
  }
}
