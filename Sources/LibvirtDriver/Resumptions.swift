import Foundation
import Synchronization

/// Limits how often a machine is resumed, for one that pauses again at once.
final class Resumptions: Sendable {
  private let last = Mutex<[UUID: ContinuousClock.Instant]>([:])

  private static let interval = Duration.seconds(4)

  /// Whether the machine was not resumed in the last four seconds. If so, this call counts as a resumption.
  func mayTry(_ machine: UUID, at now: ContinuousClock.Instant = .now) -> Bool {
    last.withLock { last in
      last = last.filter { now - $0.value < Self.interval }
      guard last[machine] == nil else { return false }
      last[machine] = now
      return true
    }
  }
}
