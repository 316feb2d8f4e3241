package import Core
package import Logging

/// Finds what no change of the store announces: credit that will not last, and a deletion that comes near. Which notices were
/// written already is in the store.
package struct NoticeWatch: Sendable {
  static let interval = Duration.seconds(60)
  private static let accountsAtOnce = 200

  private let store: any NoticeStore
  private let clock: any WallClock
  private let logger: Logger

  package init(store: any NoticeStore, clock: any WallClock, logger: Logger) {
    self.store = store
    self.clock = clock
    self.logger = logger
  }

  /// Runs until cancellation.
  package func run() async {
    while !Task.isCancelled {
      await pollOnce()
      try? await clock.sleep(for: Self.interval)
    }
  }

  /// Looks at all accounts once.
  package func pollOnce() async {
    do {
      var last: ID<Account>?
      repeat {
        last = try await store.tellOfAccounts(after: last, limit: Self.accountsAtOnce, at: clock.now)
      } while last != nil && !Task.isCancelled
    } catch {
      if !Task.isCancelled {
        logger.error("accounts could not be watched", metadata: ["error": "\(String(reflecting: error))"])
      }
    }
  }
}
