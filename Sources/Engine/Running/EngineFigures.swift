package import Core
import Synchronization

/// What the engine has done since the start of the process, for monitoring. It does not tell servers or accounts apart.
package final class EngineFigures: Sendable {
  package enum Outcome: String, Sendable, CaseIterable {
    case succeeded, failed
    /// A delete has cancelled the operation while it was under way.
    case cancelled
  }

  package struct Work: Hashable, Sendable {
    package let kind: Operation.Kind
    package let outcome: Outcome
  }

  /// Accounts that have run out of credit, and that could pay again.
  package struct Suspensions: Sendable, Equatable {
    package fileprivate(set) var begun = 0
    package fileprivate(set) var lifted = 0
  }

  /// In seconds: from operations that are done at once to those that wait for hours.
  package static let bounds: [Double] = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600]

  private let work = Mutex<[Work: DurationHistogram]>([:])
  private let credit = Mutex(Suspensions())

  package init() {}

  package var operations: [Work: DurationHistogram] { work.withLock { $0 } }
  package var suspensions: Suspensions { credit.withLock { $0 } }

  /// - Parameter duration: From the operation's request to its end.
  func count(_ kind: Operation.Kind, _ outcome: Outcome, after duration: Duration) {
    work.withLock { $0[Work(kind: kind, outcome: outcome), default: .init(bounds: Self.bounds)].add(duration) }
  }

  func countSuspension() { credit.withLock { $0.begun += 1 } }
  func countResumption() { credit.withLock { $0.lifted += 1 } }
}
