import Synchronization

/// Tells blocking work on another thread that its result is no longer wanted.
package final class StopSignal: Sendable {
  private let flag = Atomic(false)

  package init() {}

  package var isSet: Bool { flag.load(ordering: .relaxed) }
  package func set() { flag.store(true, ordering: .relaxed) }
}
