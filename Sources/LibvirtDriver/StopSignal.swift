import Synchronization

/// Tells work that blocks, on another thread, that nobody wants it any more.
final class StopSignal: Sendable {
  private let flag = Atomic(false)

  var isSet: Bool { flag.load(ordering: .relaxed) }
  func set() { flag.store(true, ordering: .relaxed) }
}
