package import Core
import Synchronization

/// The time of day by the database's clock, which all services of an installation share, however wrong the clocks of their
/// machines are. Between two readings it advances with the machine's uptime, so only the rate of that has to be right.
package final class InstallationClock: WallClock {
  private struct Look {
    let time: Timestamp
    let at: Instant
  }

  /// A reading that took longer is less exact than the last one, and is ignored.
  private static let longestLook = Duration.milliseconds(500)

  private let base: any WallClock
  private let look = Mutex<Look?>(nil)

  package init(_ base: any WallClock) {
    self.base = base
  }

  package var uptime: Instant { base.uptime }

  package func sleep(for duration: Duration) async throws { try await base.sleep(for: duration) }

  /// The machine's own time of day until the first reading.
  package var now: Timestamp {
    guard let look = look.withLock({ $0 }) else { return base.now }
    return look.time + (base.uptime - look.at)
  }

  /// Takes over a time that the database read at some moment between `asked` and `answered`.
  package func note(_ time: Timestamp, asked: Instant, answered: Instant) {
    let took = answered - asked
    look.withLock { look in
      guard look == nil || took <= Self.longestLook else { return }
      look = Look(time: time, at: asked + took / 2)
    }
  }
}
