package import Core
package import Logging
import Synchronization

/// Has one host apply the firewalls of its servers: a changed one at once, whatever operation its server has; and all of them
/// after the start of the process, because the host has only copies, and the store may have been restored from a backup.
///
/// A dead process loses nothing: the store knows which firewalls a host has not applied yet.
package final class FirewallKeeper: Sendable {
  /// How many firewalls are applied at once.
  private static let limit = 16
  private static let pageSize = 500
  /// Drivers limit their own calls to much less.
  private static let longestCall = Duration.seconds(60)
  private static let retryDelay = Duration.milliseconds(500)
  private static let maximumRetryDelay = Duration.seconds(30)
  /// How often the store is read where no change was announced.
  private static let idle = Duration.seconds(1)

  private struct State {
    var underWay: Set<ID<Server>> = []
    var failed: [ID<Server>: Failed] = [:]
    /// The last server of the page that was read, where there are more pages.
    var last: ID<Server>?
    /// Servers whose firewall this process has not applied yet; nil until the inventory was read.
    var unseen: Set<ID<Server>>?
    /// Whether the store was asked which firewalls have changed last: changes by another process are not announced here.
    var isNewestKnown = false
  }

  private struct Failed {
    var count: Int
    var retryAt: Instant
  }

  private let host: FleetHost
  private let store: any FirewallStore & InventoryStore
  private let changes: Broadcast
  private let clock: any WallClock
  private let logger: Logger
  private let state = Mutex(State())

  package init(
    of host: FleetHost, store: any FirewallStore & InventoryStore, changes: Broadcast, clock: any WallClock,
    logger: Logger
  ) {
    var logger = logger
    logger[metadataKey: "host"] = "\(host.name)"
    self.host = host
    self.store = store
    self.changes = changes
    self.clock = clock
    self.logger = logger
  }

  /// Runs until cancellation.
  package func run() async {
    await withDiscardingTaskGroup { group in
      var queue = Queue()
      while !Task.isCancelled {
        guard !isBusy, let id = await next(&queue) else {
          await pause()
          continue
        }
        begin(id)
        group.addTask { await self.apply(id) }
      }
    }
  }

  /// Has the host apply all firewalls that are due now, one after the other.
  package func pollOnce() async {
    var queue = Queue()
    while let id = await next(&queue) {
      begin(id)
      await apply(id)
    }
  }

  private var isBusy: Bool { state.withLock { $0.underWay.count >= Self.limit } }

  /// The bell rings at the end of a call and when a firewall is changed.
  private func pause() async {
    await host.firewallBell.wait(until: clock.uptime + Self.idle, clock: clock)
  }

  private func begin(_ id: ID<Server>) {
    host.beginFirewall(of: id)
    state.withLock { _ = $0.underWay.insert(id) }
  }

  // MARK: What is due

  /// The servers that were due and are not begun, the next one last. They may be all servers of a plan, so every other turn
  /// goes to a server whose customer has changed its firewall meanwhile, in the order of these changes. So a customer who
  /// changes a firewall again and again keeps nobody waiting.
  private struct Queue {
    var ids: [ID<Server>] = []
    var isChangedNext = true
  }

  private func next(_ queue: inout Queue) async -> ID<Server>? {
    if queue.ids.isEmpty { queue.ids = await due().reversed() }
    if queue.ids.count > 1, queue.isChangedNext, let id = await changed() {
      queue.isChangedNext = false
      queue.ids.removeAll { $0 == id }
      return id
    }
    queue.isChangedNext = true
    // Skips servers that were begun meanwhile.
    while let id = queue.ids.popLast() { if !ready([id]).isEmpty { return id } }
    return nil
  }

  private func changed() async -> ID<Server>? {
    if !state.withLock({ $0.isNewestKnown }) {
      do {
        host.noteChangedFirewalls(of: try await store.serversAwaitingNewestFirewall(on: host.id, limit: Self.limit))
        state.withLock { $0.isNewestKnown = true }
      } catch {
        logger.error(
          "the store does not tell which firewalls are new", metadata: ["error": "\(String(reflecting: error))"])
      }
    }
    return host.nextChangedFirewall { !ready([$0]).isEmpty }
  }

  private func ready(_ ids: some Sequence<ID<Server>>) -> [ID<Server>] {
    let now = clock.uptime
    return state.withLock { state in
      ids.filter { id in !state.underWay.contains(id) && state.failed[id].map { $0.retryAt <= now } ?? true }
    }
  }

  private func due() async -> [ID<Server>] {
    guard !host.isAway, host.driver.enforcesFirewalls else { return [] }
    do {
      try await learnUnseen()
      let last = state.withLock { $0.last }
      let changed = try await store.serversAwaitingFirewall(on: host.id, after: last, limit: Self.pageSize)
      return ready(
        state.withLock { state in
          state.last = changed.count == Self.pageSize ? changed.last : nil
          let unseen = (state.unseen ?? []).subtracting(changed)
          if last == nil, state.last == nil {
            // All due servers are known now. Failures of other servers are forgotten, because these may be gone.
            let waiting = unseen.union(changed)
            state.failed = state.failed.filter { waiting.contains($0.key) }
          }
          return changed + unseen
        })
    } catch {
      logger.error(
        "the store does not tell which firewalls to apply", metadata: ["error": "\(String(reflecting: error))"])
      return []
    }
  }

  private func learnUnseen() async throws {
    guard state.withLock({ $0.unseen == nil }) else { return }
    let inventory = try await store.inventory(of: host.id)
    state.withLock { $0.unseen = Set(inventory.filter { !$0.isDeleted }.map(\.id)) }
  }

  // MARK: One of them

  /// Reads the newest firewall just before the call, so the last call brings it; one that changes during the call is due again.
  private func apply(_ id: ID<Server>) async {
    do {
      if let wanted = try await store.firewall(of: id), wanted.hostID == host.id {
        try await bounded {
          try await self.host.driver.applyFirewall(wanted.firewall, wanted.allowance, to: wanted.machine)
        }
        if !wanted.isApplied {
          try await store.recordFirewall(wanted.revision, appliedTo: id)
          changes.tell(id)
        }
      }
      state.withLock { state in
        state.failed[id] = nil
        state.unseen?.remove(id)
        state.underWay.remove(id)
      }
    } catch {
      noteFailure(of: id, error)
    }
    host.firewallBell.ring()
  }

  private func bounded(_ call: @escaping @Sendable () async throws -> Void) async throws {
    let work = Task { try await call() }
    let watch = Task {
      try await clock.sleep(for: Self.longestCall)
      work.cancel()
    }
    defer { watch.cancel() }
    try await withTaskCancellationHandler {
      try await work.value
    } onCancel: {
      work.cancel()
    }
  }

  private func noteFailure(of id: ID<Server>, _ error: any Error) {
    let count = state.withLock { state in
      let count = (state.failed[id]?.count ?? 0) + 1
      let delay = min(Self.retryDelay * (1 << min(count, 6)), Self.maximumRetryDelay)
      state.failed[id] = Failed(count: count, retryAt: clock.uptime + delay)
      state.underWay.remove(id)
      return count
    }
    let detail = (error as? DriverError)?.detail ?? String(reflecting: error)
    logger.log(
      level: count == 1 ? .error : .debug, "a firewall could not be applied; it is tried again",
      metadata: ["server": "\(id)", "failures": "\(count)", "detail": "\(detail)"])
  }
}
