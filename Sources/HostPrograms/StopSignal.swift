import Synchronization

/// Tells work that blocks, on another thread, that nobody wants it any more.
package final class StopSignal: Sendable {
  private let flag = Atomic(false)

  package init() {}

  package var isSet: Bool { flag.load(ordering: .relaxed) }
  package func set() { flag.store(true, ordering: .relaxed) }
}
