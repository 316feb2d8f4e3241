package import Core
package import Logging
import Synchronization

/// Begins automatic backups, once a day for every server that is to have them, and removes expired ones. What is due is in the
/// store: a service that was down at 03:00 makes the backups of that day when it is back.
package final class BackupSchedule: Sendable {
  /// So few at once on a host that its disks stay usable, and that a customer's own copy need not wait for many.
  static let backupsAtOnce = 1
  static let discardsAtOnce = 100
  /// The interval while there is more to do.
  static let shortInterval = Duration.seconds(5)
  /// The longest sleep: the time of day can be set, and other processes write to the store.
  static let longInterval = Duration.seconds(600)

  private let store: any BackupScheduleStore
  private let fleet: Fleet
  private let changes: Broadcast
  private let clock: any WallClock
  private let logger: Logger
  private let trust = Mutex<(lastLook: Instant?, isTrusted: Bool)>((nil, true))

  package init(store: any BackupScheduleStore, fleet: Fleet, changes: Broadcast, clock: any WallClock, logger: Logger) {
    self.store = store
    self.fleet = fleet
    self.changes = changes
    self.clock = clock
    self.logger = logger
  }

  /// Runs until cancellation.
  package func run() async {
    while !Task.isCancelled {
      let next = await pollOnce()
      try? await clock.sleep(for: next - clock.now)
    }
  }

  /// Does what is due, and returns when to look again.
  @discardableResult package func pollOnce() async -> Timestamp {
    let now = clock.now
    do {
      let day = BackupDay(of: now)
      let mayExpire = try await trustsTimeOfDay(now)
      let discarded = try await store.discardCopies(expired: mayExpire, limit: Self.discardsAtOnce, at: now)
      let progress = try await store.beginDueBackups(of: day, atOnce: Self.backupsAtOnce, at: now)
      announce(discarded + progress.begun)
      if progress.waitingCount > 0 || discarded.count >= Self.discardsAtOnce { return now + Self.shortInterval }
      let expiry = mayExpire ? try await store.nextCopyExpiry() ?? day.end : day.end
      return max(now + .milliseconds(1), min(day.end, expiry, now + Self.longInterval))
    } catch {
      logger.error("the schedule of backups could not be kept", metadata: ["error": "\(String(reflecting: error))"])
      return now + Self.shortInterval
    }
  }

  /// Whether copies may expire now: a clock that was set by mistake must not delete a month of backups.
  private func trustsTimeOfDay(_ now: Timestamp) async throws -> Bool {
    let uptime = clock.uptime
    let before = trust.withLock { $0 }
    let isTrusted = try await store.trusts(now, after: before.lastLook.map { uptime - $0 } ?? .zero)
    trust.withLock { $0 = (uptime, isTrusted) }
    if before.isTrusted, !isTrusted {
      logger.notice("the time of day was set, or the service was down: no backup expires within the next day")
    }
    return isTrusted
  }

  private func announce(_ servers: [ID<Server>]) {
    guard !servers.isEmpty else { return }
    for server in servers { changes.tell(server) }
    fleet.ring()
  }
}
