import Synchronization

/// The places for steps that run at the same time.
final class StepPlaces: Sendable {
  private let limit: Int
  private let taken = Mutex(0)

  init(_ limit: Int) {
    self.limit = limit
  }

  var isFull: Bool { taken.withLock { $0 >= limit } }

  func takeOne() { taken.withLock { $0 += 1 } }

  /// Takes all places that are free, and returns how many that are.
  func takeAll() -> Int {
    taken.withLock { taken in
      defer { taken = max(taken, limit) }
      return max(0, limit - taken)
    }
  }

  /// Returns whether there was none, so that somebody may wait for it.
  func leave(_ count: Int) -> Bool {
    guard count > 0 else { return false }
    return taken.withLock { taken in
      defer { taken -= count }
      return taken >= limit
    }
  }
}
