package import Core
package import Logging
import Synchronization

/// Sees to it that the servers of a host that stays away come up on others that reach their disks: has the host switched off for
/// certain, and then gives them away, one after another. Nothing is taken of a host that answers.
package final class FenceKeeper: Sendable {
  private static let interval = Duration.seconds(5)
  private static let shortestPause = Duration.seconds(10)
  private static let longestPause = Duration.seconds(300)
  private static let longestFailure = 300
  /// A host may have thousands of servers.
  private static let namedInLog = 20
  /// Read by operators.
  static let withoutHeir =
    "No other host of its location is active (neither away nor draining) and has room for one of its servers."
  private static let steps = ResumedSteps(
    define: StartServer.Step.define.rawValue,
    afterDefine: [StartServer.Step.start.rawValue, StartServer.Step.awaitReady.rawValue],
    cleanCopy: CopyDisk.Step.clean.rawValue)

  private let host: FleetHost
  private let fleet: Fleet
  private let fence: any HostFence
  private let patience: Duration
  private let store: any HostStore
  private let changes: Broadcast
  private let clock: any WallClock
  private let logger: Logger
  private let state = Mutex(State())

  private struct State {
    /// Since when this keeper has seen the host away; nil where it is not.
    var awayAt: Instant?
    var failures = 0
    var nextTry: Instant?
    /// What was logged last about servers that stay.
    var waiting: [ID<Server>] = []
    var isOutnumbered = false
  }

  /// - Parameter patience: How long the host may be away before it is switched off.
  package init(
    of host: FleetHost, in fleet: Fleet, by fence: any HostFence, after patience: Duration, store: any HostStore,
    changes: Broadcast, clock: any WallClock, logger: Logger
  ) {
    var logger = logger
    logger[metadataKey: "host"] = "\(host.name)"
    self.host = host
    self.fleet = fleet
    self.fence = fence
    self.patience = patience
    self.store = store
    self.changes = changes
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

  /// Does what is due: switches the host off, or gives its servers away.
  package func pollOnce() async {
    guard host.isAway else {
      state.withLock { $0 = State() }
      return host.note(isFenced: false)
    }
    let now = clock.uptime
    let awayAt = state.withLock { state in
      state.awayAt = state.awayAt ?? now
      return state.awayAt ?? now
    }
    do {
      guard let load = try await store.hosts().first(where: { $0.host.id == host.id }) else { return }
      host.note(isFenced: load.host.state == .fenced)
      switch load.host.fence {
      case .done: try await giveAway()
      case .released: break
      case .begun, nil:
        let heirs = fleet.heirs(ofMachinesOn: host.id)
        guard now - awayAt >= patience, load.serverCount > 0, isDue(at: now), !heirs.isEmpty, mayFence(),
          try await hasHeir(load.host, among: heirs)
        else { return }
        if try await isSwitchedOff(load.host) { try await giveAway() }
      }
    } catch {
      if error is CancellationError { return }
      logger.error("a host that is away is not dealt with", metadata: ["error": "\(String(reflecting: error))"])
    }
  }

  private func isDue(at now: Instant) -> Bool { state.withLock { $0.nextTry.map { $0 <= now } ?? true } }

  /// Where many hosts seem to be away at once, it is rather this service that has lost its network: switching all of them off would
  /// make of that what it looks like.
  private func mayFence() -> Bool {
    let neighbours = fleet.hosts.filter { $0.location == host.location }
    let mayFence = neighbours.count { $0.isAway } * 2 <= neighbours.count
    let isNew = state.withLock { state in
      defer { state.isOutnumbered = !mayFence }
      return !mayFence && !state.isOutnumbered
    }
    if isNew { logger.error("the host is not switched off: more than half of those of its location are away") }
    return mayFence
  }

  /// Its servers may be running, so it is not switched off for nothing.
  private func hasHeir(_ host: Core.Host, among heirs: Set<ID<Core.Host>>) async throws -> Bool {
    if try await store.hasHeir(ofServersOn: host.id, among: heirs) { return true }
    guard host.fenceFailure != Self.withoutHeir, let since = host.awaySince,
      try await store.recordNoFence(of: host.id, awaySince: since, because: Self.withoutHeir)
    else { return false }
    logger.error("the host is not switched off", metadata: ["reason": "\(Self.withoutHeir)"])
    changes.tellAll()
    return false
  }

  /// Whether the host is certainly off, and that is written down.
  private func isSwitchedOff(_ host: Core.Host) async throws -> Bool {
    guard let since = host.awaySince, try await store.beginFence(of: host.id, awaySince: since) else { return false }
    changes.tellAll()
    logger.notice("the host is being switched off")
    do {
      try await fence.fence(host.name)
    } catch {
      // The program was ended with this service, and says nothing about the host.
      if Task.isCancelled { throw CancellationError() }
      let failure = String("\(error)".prefix(Self.longestFailure))
      noteFailure()
      logger.error("the host is not known to be off: its servers stay", metadata: ["reason": "\(failure)"])
      _ = try await store.recordFence(of: host.id, awaySince: since, failure: failure, at: clock.now)
      return false
    }
    state.withLock { ($0.failures, $0.nextTry) = (0, nil) }
    guard try await store.recordFence(of: host.id, awaySince: since, failure: nil, at: clock.now) else { return false }
    self.host.note(isFenced: true)
    logger.notice("the host is off: its servers go to others")
    return true
  }

  private func noteFailure() {
    state.withLock { state in
      let pause = min(Self.shortestPause * (1 << min(state.failures, 8)), Self.longestPause)
      state.nextTry = clock.uptime + pause
      state.failures += 1
    }
  }

  /// Offers each server once. Those that find no room are offered again at the next look.
  private func giveAway() async throws {
    let heirs = fleet.heirs(ofMachinesOn: host.id)
    var last: ID<Server>?
    var waiting: [ID<Server>] = []
    while let taken = try await store.takeNextServer(
      from: host.id, after: last, to: heirs, resuming: Self.steps, at: clock.now)
    {
      last = taken.server
      guard let target = taken.target else {
        waiting.append(taken.server)
        continue
      }
      host.note(taken: taken.server)
      logger.notice(
        "a server goes to another host",
        metadata: ["server": "\(taken.server)", "to": "\(fleet[target]?.name ?? target.description)"])
      fleet[target]?.monitorBell.ring()
      changes.tell(taken.server)
    }
    let isNew = state.withLock { state in
      defer { state.waiting = waiting }
      return state.waiting != waiting
    }
    guard isNew, !waiting.isEmpty else { return }
    for server in waiting { changes.tell(server) }
    let servers = waiting.prefix(Self.namedInLog).map { "\($0)" }.joined(separator: ", ")
    logger.warning(
      "servers stay on a host that is off: no other one has room",
      metadata: ["count": "\(waiting.count)", "servers": "\(servers)"])
  }
}
