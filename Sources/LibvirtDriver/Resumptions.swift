import Foundation
import Synchronization

/// Keeps a machine that pauses as soon as it goes on from being let go on all the time.
final class Resumptions: Sendable {
  private let last = Mutex<[UUID: ContinuousClock.Instant]>([:])

  private static let interval = Duration.seconds(4)

  /// Whether the last time is long enough ago; then this is the last time.
  func mayTry(_ machine: UUID, at now: ContinuousClock.Instant = .now) -> Bool {
    last.withLock { last in
      last = last.filter { now - $0.value < Self.interval }
      guard last[machine] == nil else { return false }
      last[machine] = now
      return true
    }
  }
}
