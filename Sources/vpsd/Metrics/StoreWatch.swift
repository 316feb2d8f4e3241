import Core
import SQLStore

/// Reads the database's figures, at most once in an interval, and sums up the ledger entries since the start.
actor StoreWatch {
  struct Sum: Equatable {
    var count = 0
    var given = Money.zero
    var taken = Money.zero
  }

  struct Look {
    let figures: StoreFigures
    /// The sums by reason since the start.
    let ledger: [String: Sum]
  }

  /// More frequent requests get the previous figures.
  private static let interval = Duration.seconds(1)

  private let store: SQLStore
  private let clock: any WallClock
  private var lastEntry: Int64
  private var ledger: [String: Sum] = [:]
  private var kept: (look: Look, at: Instant)?

  init(store: SQLStore, lastEntry: Int64, clock: any WallClock) {
    self.store = store
    self.lastEntry = lastEntry
    self.clock = clock
  }

  func look() async throws -> Look {
    if let kept, clock.uptime - kept.at < Self.interval { return kept.look }
    let begunAfter = lastEntry
    let figures = try await store.figures(ledgerAfter: begunAfter)
    // A concurrent call may have counted the same entries.
    if lastEntry == begunAfter {
      for entry in figures.ledger {
        ledger[entry.reason, default: Sum()].count += entry.count
        ledger[entry.reason, default: Sum()].given += entry.given
        ledger[entry.reason, default: Sum()].taken += entry.taken
      }
      lastEntry = figures.lastEntry ?? lastEntry
    }
    let look = Look(figures: figures, ledger: ledger)
    kept = (look, clock.uptime)
    return look
  }
}
