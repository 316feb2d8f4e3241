import Synchronization

/// The places for steps that run at the same time.
final class StepPlaces: Sendable {
  private let limit: Int
  private let taken = Mutex(0)

  init(_ limit: Int) {
    self.limit = limit
  }

  var isFull: Bool { taken.withLock { $0 >= limit } }

  /// To be called where it is not full. Whoever takes some at the same moment may get the same place: there is then one step more.
  func takeOne() { taken.withLock { $0 += 1 } }

  /// Takes at most half of the places that are free, and one where only one is. Returns how many that are.
  func takeSome(atMost count: Int) -> Int {
    taken.withLock { taken in
      let some = max(0, min((limit - taken + 1) / 2, count))
      taken += some
      return some
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
