import Core
import Synchronization

/// Leases of operations whose step waits for a moment, as for the end of a boot. They are kept here, so that waiting costs no
/// writes. A process that dies loses the waits, and its successor runs the steps at once.
final class WaitingLeases: Sendable {
  /// A reference, so that thousands are moved cheaply.
  private final class Entry: Sendable {
    let lease: Lease
    let due: Instant

    init(_ lease: Lease, due: Instant) { (self.lease, self.due) = (lease, due) }
  }

  /// By the time when they are due.
  private let entries = Mutex<[Entry]>([])

  func add(_ lease: Lease, until due: Instant) {
    entries.withLock { entries in
      // Most waits have the same length, so that the last one to begin is the last one to end.
      let place = entries.lastIndex { $0.due <= due }.map { $0 + 1 } ?? 0
      entries.insert(Entry(lease, due: due), at: place)
    }
  }

  /// Takes the lease that has been due for longest.
  func takeDue(at now: Instant) -> Lease? {
    entries.withLock { entries in
      guard let first = entries.first, first.due <= now else { return nil }
      entries.removeFirst()
      return first.lease
    }
  }

  var nextDue: Instant? { entries.withLock { $0.first?.due } }

  func takeAll() -> [Lease] {
    entries.withLock { entries in
      defer { entries = [] }
      return entries.map(\.lease)
    }
  }
}
