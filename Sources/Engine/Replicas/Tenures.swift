package import Core
package import Logging
import Synchronization

/// Keeps the duties of one service among several: says that it lives, takes what nobody has, does what belongs to it, and ends that
/// when it is not certain any more that it still has it.
///
/// What is ended so may still be in the middle of something. It can write nothing any more (`SQLStore.under`), and a host that several
/// services share takes nothing from it.
package final class Tenures: Sendable {
  /// Who was not heard of for so long has nothing any more.
  package static let lifetime = Duration.seconds(6)
  static let interval = Duration.milliseconds(1500)
  /// What could not be begun here is left to others for a while.
  private static let unfitness = Duration.seconds(30)
  /// Until what is given back, because others are to have it, has come to its end by itself.
  private static let longestEnd = Duration.seconds(10)

  /// What is done for a duty.
  package struct Work: Sendable {
    let run: @Sendable () async -> Void
    let finish: @Sendable () async -> Void

    /// - Parameters:
    ///   - run: Until it is cancelled.
    ///   - finish: Begins nothing more, and returns when what is under way is over.
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
    /// Until then nobody else can have any of it.
    var heldUntil: Instant?
    var unfit: [Duty: Instant] = [:]
    /// What others are to have, until it has come to its end.
    var ending: Set<Duty> = []
    /// The last term of each that was ended here: an answer that was under way meanwhile begins nothing again.
    var lastEnded: [Duty: Int64] = [:]
    /// Nothing is begun any more.
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
  private let clock: InstallationClock
  private let logger: Logger
  private let begin: @Sendable (Tenure) async throws -> Work
  private let looked: @Sendable (Set<Duty>) async -> Void
  private let bell = Doorbell()
  private let state = Mutex(State())

  /// - Parameters:
  ///   - duties: What this service can do.
  ///   - begin: Makes ready what is done for a duty that this service has from now on.
  ///   - looked: Called after each beat, with what it has.
  package init(
    of replica: Replica, store: any ReplicaStore, duties: [Duty], clock: InstallationClock, logger: Logger,
    begin: @escaping @Sendable (Tenure) async throws -> Work, looked: @escaping @Sendable (Set<Duty>) async -> Void
  ) {
    self.replica = replica
    self.store = store
    self.duties = duties
    self.clock = clock
    self.logger = logger
    self.begin = begin
    self.looked = looked
  }

  package var held: Set<Duty> { state.withLock { Set($0.held.keys) } }

  /// Something may be free.
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

  /// Says once that this service lives, and does what follows from the answer.
  package func beat() async {
    let asked = clock.uptime
    let (holding, wanting) = state.withLock { state in
      state.unfit = state.unfit.filter { $0.value > asked }
      let wanting = state.isLeaving ? [] : duties.filter { state.unfit[$0] == nil }
      return (state.held.values.map(\.tenure), wanting)
    }
    do {
      let beat = try await store.beat(replica, holding: holding, wanting: wanting, for: Self.lifetime)
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

  /// Ends what it has, and leaves it to others.
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

  /// What cannot be done here may be possible elsewhere.
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

  /// Without a word: it is somebody else's, or may be.
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
      let staying = state.held.values.filter { !state.ending.contains($0.tenure.duty) }
      guard staying.count > share, !state.isLeaving else { return nil }
      let surplus = staying.max { $0.tenure.term < $1.tenure.term }
      if let surplus { state.ending.insert(surplus.tenure.duty) }
      return surplus
    }
  }

  /// Beside the beats, by which it is kept until it has come to its end.
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

  /// Nothing that hangs holds up what others wait for.
  private func bounded(_ end: @escaping @Sendable () async -> Void) async {
    let over = Doorbell()
    Task {
      await end()
      over.ring()
    }
    await over.wait(until: clock.uptime + Self.longestEnd, clock: clock)
  }

  /// A process that was stopped, or that waits for the database, finds here that its time is over.
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
