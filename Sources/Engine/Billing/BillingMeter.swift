package import Core
package import Logging
import Synchronization

/// Charges the hours of servers, suspends accounts that cannot pay, and lifts that suspension when they can. All its state is
/// in the store, so a late, repeated or first look makes no difference to what is charged.
package final class BillingMeter: Sendable {
  /// Commands that suspend an account or add credit run in another process; they should take effect within a second.
  static let interval = Duration.milliseconds(500)
  /// How many hours one transaction charges; all other writers wait for it.
  static let hoursAtOnce = 30
  static let serversAtOnce = 50
  /// After each batch, this many times its duration is left to other writers.
  private static let restRatio = 1.5
  /// How often traffic beyond what the plans include is charged and throttled.
  private static let trafficInterval = Duration.seconds(60)
  private static let entriesAtOnce = 500

  private let store: any BillingStore
  private let fleet: Fleet
  private let changes: Broadcast
  private let clock: any WallClock
  private let logger: Logger
  private let figures: EngineFigures?
  private let looks = Mutex(Looks())

  private struct Looks {
    var lastTrusted: Instant?
    var lastTraffic: Instant?
    var isDoubtTold = false
  }

  package init(
    store: any BillingStore, fleet: Fleet, changes: Broadcast, clock: any WallClock, logger: Logger,
    figures: EngineFigures? = nil
  ) {
    self.store = store
    self.fleet = fleet
    self.changes = changes
    self.clock = clock
    self.logger = logger
    self.figures = figures
  }

  /// Runs until cancellation.
  package func run() async {
    while !Task.isCancelled {
      await pollOnce()
      try? await clock.sleep(for: Self.interval)
    }
  }

  /// Does all that is due.
  package func pollOnce() async {
    do {
      // First, so that the steps below know whether the clock can be trusted.
      let isTrusted = try await trustsClock()
      // Before the charges: an account that can pay again is charged as active from this hour on.
      try await liftCreditSuspensions()
      try await applySuspensions()
      if isTrusted {
        try await chargeHours(begunBy: clock.now)
        try await chargeTraffic()
        let deleted = try await repeated {
          try await store.deleteUnpaidServers(limit: Self.serversAtOnce, at: clock.now)
        }
        if deleted > 0 { logger.notice("servers were deleted for want of credit", metadata: ["count": "\(deleted)"]) }
      }
      try await liftCreditSuspensions()
      try await applySuspensions()
    } catch is CancellationError {
      return
    } catch {
      logger.error("servers could not be charged", metadata: ["error": "\(String(reflecting: error))"])
    }
  }

  private func liftCreditSuspensions() async throws {
    for account in try await store.liftCreditSuspensions(at: clock.now) {
      figures?.countResumption()
      logger.notice("an account can pay again", metadata: ["account": "\(account)"])
    }
  }

  private func applySuspensions() async throws {
    _ = try await repeated { try await store.applySuspensions(limit: Self.serversAtOnce, at: clock.now) }
  }

  private func chargeHours(begunBy time: Timestamp) async throws {
    var last: HourReference?
    while !Task.isCancelled {
      let began = clock.uptime
      let batch = try await store.chargeHours(begunBy: time, after: last, limit: Self.hoursAtOnce, at: clock.now)
      for account in batch.outOfCredit {
        figures?.countSuspension()
        logger.notice("an account has run out of credit", metadata: ["account": "\(account)"])
      }
      guard let next = batch.last else { return }
      last = next
      try await clock.sleep(for: (clock.uptime - began) * Self.restRatio)
    }
  }

  private func chargeTraffic() async throws {
    let now = clock.uptime
    let isDue = looks.withLock { looks in
      guard looks.lastTraffic.map({ now - $0 >= Self.trafficInterval }) ?? true else { return false }
      looks.lastTraffic = now
      return true
    }
    guard isDue else { return }
    _ = try await store.chargeTraffic(limit: Self.entriesAtOnce, at: clock.now)
    for server in try await store.throttleTraffic(at: clock.now) { changes.tell(server) }
  }

  private func trustsClock() async throws -> Bool {
    let now = clock.uptime
    let elapsed = looks.withLock { $0.lastTrusted.map { now - $0 } ?? .zero }
    switch try await store.judgeBillingClock(at: clock.now, after: elapsed) {
    case .trusted:
      looks.withLock { looks in
        looks.lastTrusted = now
        looks.isDoubtTold = false
      }
      return true
    case .doubted(let lastSeen):
      let isTold = looks.withLock { looks in
        defer { looks.isDoubtTold = true }
        return looks.isDoubtTold
      }
      if !isTold {
        logger.error(
          "billing has stopped: the clock has jumped, or the service was down for long; if the time is right, run vpsd credit confirm-clock",
          metadata: ["hours": "\((clock.now - lastSeen).milliseconds / 3_600_000)"])
      }
      return false
    }
  }

  /// Repeats `change` until it changes nothing; returns how many servers it has changed.
  private func repeated(_ change: () async throws -> [ID<Server>]) async throws -> Int {
    var count = 0
    while !Task.isCancelled {
      let began = clock.uptime
      let servers = try await change()
      guard !servers.isEmpty else { break }
      count += servers.count
      for server in servers { changes.tell(server) }
      fleet.ring()
      try await clock.sleep(for: (clock.uptime - began) * Self.restRatio)
    }
    return count
  }
}
