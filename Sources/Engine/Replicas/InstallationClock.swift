package import Core
import Synchronization

/// The time of day by the database's clock, which is the same for all services of it, however wrong those of their machines are. It
/// passes by the machine's, which only has to be even between two looks.
package final class InstallationClock: WallClock {
  private struct Look {
    let time: Timestamp
    let at: Instant
  }

  /// An answer that took longer says less than what is known.
  private static let longestLook = Duration.milliseconds(500)

  private let base: any WallClock
  private let look = Mutex<Look?>(nil)

  package init(_ base: any WallClock) {
    self.base = base
  }

  package var uptime: Instant { base.uptime }

  package func sleep(for duration: Duration) async throws { try await base.sleep(for: duration) }

  /// The machine's own, until the database was asked.
  package var now: Timestamp {
    guard let look = look.withLock({ $0 }) else { return base.now }
    return look.time + (base.uptime - look.at)
  }

  /// What the database said, some time between the two.
  package func note(_ time: Timestamp, asked: Instant, answered: Instant) {
    let took = answered - asked
    look.withLock { look in
      guard look == nil || took <= Self.longestLook else { return }
      look = Look(time: time, at: asked + took / 2)
    }
  }
}
