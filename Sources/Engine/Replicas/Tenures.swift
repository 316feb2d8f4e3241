package import Core
package import Logging
import Synchronization

/// Holds the duties of one service among several: sends heartbeats, takes duties that no service holds, does their work, and
/// stops it once it is no longer certain that this service still holds the duty.
///
/// Work that was stopped may still be in the middle of a call. It can no longer write to the store (`SQLStore.under`), and a
/// host that several services share accepts nothing from it.
package final class Tenures: Sendable {
  /// A service that has sent no heartbeat for so long holds no duty any more.
  package static let lifetime = Duration.seconds(6)
  static let interval = Duration.milliseconds(1500)
  /// For how long a duty that could not be begun here is left to other services.
  private static let unfitness = Duration.seconds(30)
  /// How long to wait for work to end by itself, and again after its cancellation, before its duty is given back.
  private static let longestEnd = Duration.seconds(10)

  /// The work of a duty.
  package struct Work: Sendable {
    let run: @Sendable () async -> Void
    let finish: @Sendable () async -> Void

    /// - Parameters:
    ///   - run: Does the work until it is cancelled.
    ///   - finish: Begins nothing new, and returns when what is under way has ended.
    package init(run: @escaping @Sendable () async -> Void, finish: @escaping @Sendable () async -> Void) {
      self.run = run
      self.finish = finish
    }
  }

  /// A duty that this service has, and what it does for it.
  private final class Holding: Sendable {
    let tenure: Tenure
    let work = Mutex<Work?>(nil)
    private let task = Mutex<(task: Task<Void, Never>?, isCancelled: Bool)>((nil, false))

    init(_ tenure: Tenure) {
      self.tenure = tenure
    }

    func begin(_ begun: Task<Void, Never>) {
      let isCancelled = task.withLock { task in
        task.task = begun
        return task.isCancelled
      }
      if isCancelled { begun.cancel() }
    }

    func cancel() {
      let begun = task.withLock { task in
        task.isCancelled = true
        return task.task
      }
      begun?.cancel()
    }

    func whenEnded() async { await task.withLock { $0.task }?.value }
  }

  private struct State {
    var held: [Duty: Holding] = [:]
    /// Until then no other service can hold any of these duties; nil before the first heartbeat.
    var heldUntil: Instant?
    var unfit: [Duty: Instant] = [:]
    /// Duties whose work is being ended here so that other services can have them.
    var ending: Set<Duty> = []
    /// The last term of each duty that ended here: the answer to an earlier heartbeat must not begin it again.
    var lastEnded: [Duty: Int64] = [:]
    /// No duty is begun any more.
    var isLeaving = false
    var isOver = false
    var isSilent = false

    mutating func end(_ holding: Holding) {
      let duty = holding.tenure.duty
      lastEnded[duty] = max(lastEnded[duty] ?? 0, holding.tenure.term)
      guard held[duty] === holding else { return }
      held[duty] = nil
      ending.remove(duty)
    }
  }

  private let replica: Replica
  private let store: any ReplicaStore
  private let duties: [Duty]
  private let own: [Duty]
  private let clock: InstallationClock
  private let logger: Logger
  private let begin: @Sendable (Tenure) async throws -> Work
  private let looked: @Sendable (Set<Duty>) async -> Void
  private let bell = Doorbell()
  private let state = Mutex(State())

  /// - Parameters:
  ///   - duties: The duties that this service shares with others.
  ///   - own: The duties that only this service is able to hold. It gives none of them back before it ends.
  ///   - begin: Prepares the work of a duty that this service holds from now on.
  ///   - looked: Called after each heartbeat with the duties that are held.
  package init(
    of replica: Replica, store: any ReplicaStore, duties: [Duty], own: [Duty] = [], clock: InstallationClock,
    logger: Logger,
    begin: @escaping @Sendable (Tenure) async throws -> Work, looked: @escaping @Sendable (Set<Duty>) async -> Void
  ) {
    self.replica = replica
    self.store = store
    self.duties = duties
    self.own = own
    self.clock = clock
    self.logger = logger
    self.begin = begin
    self.looked = looked
  }

  package var held: Set<Duty> { state.withLock { Set($0.held.keys) } }

  /// Sends the next heartbeat now, because a duty may have become free.
  package func look() { bell.ring() }

  /// Runs until `leave`, or cancellation.
  package func run() async {
    await withDiscardingTaskGroup { group in
      group.addTask { await self.watch() }
      while !Task.isCancelled, !state.withLock({ $0.isOver }) {
        await beat()
        await bell.wait(until: clock.uptime + Self.interval, clock: clock)
      }
      group.cancelAll()
    }
    if Task.isCancelled { drop(held) }
  }

  /// Sends one heartbeat and acts on the answer.
  package func beat() async {
    let asked = clock.uptime
    let (holding, wanting, wantingOwn) = state.withLock { state in
      state.unfit = state.unfit.filter { $0.value > asked }
      let fit = state
      func wanted(_ duties: [Duty]) -> [Duty] { fit.isLeaving ? [] : duties.filter { fit.unfit[$0] == nil } }
      return (fit.held.values.map(\.tenure), wanted(duties), wanted(own))
    }
    do {
      let beat = try await store.beat(replica, holding: holding, wanting: wanting, own: wantingOwn, for: Self.lifetime)
      clock.note(beat.time, asked: asked, answered: clock.uptime)
      let new = state.withLock { state in
        state.heldUntil = asked + Self.lifetime
        state.isSilent = false
        return state.isLeaving
          ? []
          : beat.tenures.filter { state.held[$0.duty]?.tenure != $0 && $0.term > state.lastEnded[$0.duty] ?? 0 }
      }
      for replica in beat.dead {
        logger.warning("another service was not heard of", metadata: ["replica": "\(replica.name)"])
      }
      drop(held.subtracting(beat.tenures.map(\.duty)).union(new.map(\.duty)))
      for tenure in new { take(tenure) }
      let share = (wanting.count + beat.replicaCount - 1) / max(beat.replicaCount, 1)
      if let surplus = surplus(over: share) { Task { await giveBack(surplus) } }
    } catch {
      let wasSilent = state.withLock { state in
        defer { state.isSilent = true }
        return state.isSilent
      }
      if !wasSilent {
        logger.error(
          "the database does not hear that this service lives", metadata: ["error": "\(String(reflecting: error))"])
      }
    }
    await looked(held)
  }

  /// Ends the work of all duties, and leaves them to other services.
  package func leave() async {
    let holdings = state.withLock { state in
      state.isLeaving = true
      return Array(state.held.values)
    }
    await finish(holdings)
    do {
      try await store.leave(replica)
    } catch {
      logger.warning(
        "others take over what this service had when they miss it", metadata: ["error": "\(String(reflecting: error))"])
    }
    state.withLock { $0.isOver = true }
    bell.ring()
  }

  // MARK: One of them

  private func take(_ tenure: Tenure) {
    let holding = Holding(tenure)
    let isWanted = state.withLock { state in
      if !state.isLeaving { state.held[tenure.duty] = holding }
      return !state.isLeaving
    }
    guard isWanted else { return }
    logger.notice("this service has a duty", metadata: ["duty": "\(tenure.duty)", "term": "\(tenure.term)"])
    let task = Task {
      do {
        let work = try await begin(tenure)
        holding.work.withLock { $0 = work }
        await work.run()
      } catch {
        await refuse(holding, error)
      }
    }
    holding.begin(task)
  }

  /// Gives the duty back, because another service may be able to begin it.
  private func refuse(_ holding: Holding, _ error: any Error) async {
    let duty = holding.tenure.duty
    logger.error(
      "a duty could not be begun here", metadata: ["duty": "\(duty)", "error": "\(String(reflecting: error))"])
    let until = clock.uptime + Self.unfitness
    state.withLock { state in
      state.unfit[duty] = until
      state.end(holding)
    }
    try? await store.giveBack([holding.tenure], of: replica)
  }

  /// Stops the work and tells the store nothing: another service holds these duties, or may hold them.
  private func drop(_ duties: Set<Duty>) {
    let dropped = state.withLock { state in
      let dropped = duties.compactMap { state.held[$0] }
      for holding in dropped { state.end(holding) }
      return dropped
    }
    for holding in dropped {
      holding.cancel()
      logger.notice("this service has a duty no more", metadata: ["duty": "\(holding.tenure.duty)"])
    }
  }

  private func surplus(over share: Int) -> Holding? {
    state.withLock { state in
      let staying = state.held.values.filter { holding in
        duties.contains(holding.tenure.duty) && !state.ending.contains(holding.tenure.duty)
      }
      guard staying.count > share, !state.isLeaving else { return nil }
      let surplus = staying.max { $0.tenure.term < $1.tenure.term }
      if let surplus { state.ending.insert(surplus.tenure.duty) }
      return surplus
    }
  }

  /// Runs beside the heartbeats, which keep the duty here until its work has ended.
  private func giveBack(_ holding: Holding) async {
    await finish(holding)
    try? await store.giveBack([holding.tenure], of: replica)
  }

  private func finish(_ holdings: [Holding]) async {
    await withDiscardingTaskGroup { group in
      for holding in holdings { group.addTask { await self.finish(holding) } }
    }
  }

  private func finish(_ holding: Holding) async {
    if let work = holding.work.withLock({ $0 }) { await bounded { await work.finish() } }
    holding.cancel()
    await bounded { await holding.whenEnded() }
    state.withLock { $0.end(holding) }
  }

  /// Waits for `end` no longer than `longestEnd`: other services wait for the duty.
  private func bounded(_ end: @escaping @Sendable () async -> Void) async {
    let over = Doorbell()
    Task {
      await end()
      over.ring()
    }
    await over.wait(until: clock.uptime + Self.longestEnd, clock: clock)
  }

  /// Drops all duties when no heartbeat was answered for `lifetime`: because the process was suspended, or the database does
  /// not answer.
  private func watch() async {
    while !Task.isCancelled {
      let now = clock.uptime
      let (isOver, next) = state.withLock { state in
        (state.heldUntil.map { $0 <= now } ?? false, state.heldUntil ?? now + Self.interval)
      }
      if isOver { drop(held) }
      try? await clock.sleep(for: isOver ? Self.interval : min(next - now, Self.interval))
    }
  }
}
