import Core
import Foundation
import Synchronization

/// Containers that are off, and of which it is not written down yet how they ended. That takes LXD half a second, and is never
/// done where what watches the container died. It is in memory only.
final class Endings: Sendable {
  /// How long it may take until it is written down.
  static let limit = Duration.seconds(3)

  private let clock: any WallClock
  private let seen = Mutex<[UUID: Instant]>([:])

  init(clock: any WallClock) {
    self.clock = clock
  }

  /// Whether it may still be written down how this one ended.
  func isFresh(_ machine: UUID, _ instance: Instance) -> Bool {
    let now = clock.uptime
    return seen.withLock { seen in
      guard instance.isEndUnwritten else {
        seen[machine] = nil
        return false
      }
      let first = seen[machine] ?? now
      seen[machine] = first
      return now - first < Self.limit
    }
  }

  /// Of the others nothing is remembered.
  func keep(_ machines: Set<UUID>) {
    seen.withLock { seen in seen = seen.filter { machines.contains($0.key) } }
  }
}
