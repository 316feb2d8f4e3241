package import Core
package import Logging
import Synchronization

/// Has one host take over the firewalls of its servers: what was changed, at once, and whatever the server's operations are at;
/// and after the start of the process all of them, because what a host has is a copy, and the store may have been put back.
///
/// Nothing is lost with the process: what a host was not seen to take over stands in the store.
package final class FirewallKeeper: Sendable {
  /// How many are under way at once.
  private static let limit = 16
  private static let pageSize = 500
  /// Drivers bound their own calls well below.
  private static let longestCall = Duration.seconds(60)
  private static let retryDelay = Duration.milliseconds(500)
  private static let maximumRetryDelay = Duration.seconds(30)
  /// How long nobody looks at the store without having been told of a change.
  private static let idle = Duration.seconds(1)

  private struct State {
    var underWay: Set<ID<Server>> = []
    var failed: [ID<Server>: Failed] = [:]
    /// The last one that was looked at, where there are more.
    var last: ID<Server>?
    /// Those that this process has not applied yet; nil while nobody knows them.
    var unseen: Set<ID<Server>>?
    /// Whether the store was asked who has changed theirs last: what was changed in another process is not known otherwise.
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

  /// Has the host take over what is due now, one after the other.
  package func pollOnce() async {
    var queue = Queue()
    while let id = await next(&queue) {
      begin(id)
      await apply(id)
    }
  }

  private var isBusy: Bool { state.withLock { $0.underWay.count >= Self.limit } }

  /// The end of a call rings, and whoever changes a firewall.
  private func pause() async {
    await host.firewallBell.wait(until: clock.uptime + Self.idle, clock: clock)
  }

  private func begin(_ id: ID<Server>) {
    host.beginFirewall(of: id)
    state.withLock { _ = $0.underWay.insert(id) }
  }

  // MARK: What is due

  /// What was due and is not begun, the next one last. It may be all servers of a plan, and so customers who have changed a
  /// firewall meanwhile do not wait behind it: every other turn is theirs, one after the other as they came, so that nobody who
  /// changes theirs again and again keeps somebody else waiting.
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
    // What was begun meanwhile is not begun once more.
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
            // What was looked at is all there is to do: a server that is gone has failed for the last time.
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

  /// Reads the newest one itself: the call that comes last brings it, and one that changes meanwhile is due again.
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
