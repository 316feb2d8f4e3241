package import Core
package import Logging
import Synchronization

import struct Foundation.UUID

/// Carries out the operations of one host's servers: claims what is due, runs its next step, commits the outcome. The
/// operations' state is in the store, so a new process goes on where a dead one was. Each host has a runner of its own, so a
/// host that hangs delays no other.
package final class Runner: Sendable {
  private let host: FleetHost
  private let fleet: Fleet
  private let store: any OperationStore & FirewallStore
  private let catalogueReader: CatalogueReader
  private let addressPools: AddressPools
  private let changes: Broadcast
  let clock: any WallClock
  let logger: Logger
  private let limits: Limits
  private let key: InstallationKey
  let figures: EngineFigures?
  private let becameActive: @Sendable () async -> Void
  private let bootSlots = FairAdmission()
  private let copySlots = FairAdmission()
  private let stepTimes = StepTimes()
  private let waits = WaitingLeases()
  private let places: StepPlaces
  /// Rings where a step begins to wait, and where there is a place for one that has waited.
  private let waitBell = Doorbell()
  private let state = Mutex(State())

  /// - Parameter becameActive: Called after a server has become active, for its first measurement.
  package init(
    on host: FleetHost, of fleet: Fleet, store: any OperationStore & FirewallStore, catalogueReader: CatalogueReader,
    addressPools: AddressPools,
    changes: Broadcast, clock: any WallClock, logger: Logger, limits: Limits = Limits(), key: InstallationKey,
    figures: EngineFigures? = nil,
    becameActive: @escaping @Sendable () async -> Void
  ) {
    var logger = logger
    logger[metadataKey: "host"] = "\(host.name)"
    self.host = host
    self.fleet = fleet
    self.store = store
    self.catalogueReader = catalogueReader
    self.addressPools = addressPools
    self.changes = changes
    self.clock = clock
    self.logger = logger
    self.limits = limits
    self.places = StepPlaces(limits.stepsAtOnce)
    self.key = key
    self.figures = figures
    self.becameActive = becameActive
  }

  /// Runs until `stop` or cancellation; the steps under way are waited for.
  package func run() async {
    await withDiscardingTaskGroup { group in
      group.addTask { await self.resumeWaits() }
      while !isEnding {
        do {
          guard !host.isAway, !places.isFull else {
            // The bell rings at the end of a step, and when the host is back.
            await host.doorbell.wait(until: clock.uptime + limits.idle, clock: clock)
            waitBell.ring()
            continue
          }
          let leases = try await claimForFreePlaces()
          for lease in leases { group.addTask { await self.work(lease) } }
          if leases.isEmpty {
            let pause = try await store.nextOperationDue(on: host.id).map { $0 - clock.now } ?? limits.idle
            await host.doorbell.wait(until: clock.uptime + max(min(pause, limits.idle), .milliseconds(5)), clock: clock)
          }
        } catch {
          logger.error("the store does not answer", metadata: ["error": "\(String(reflecting: error))"])
          await host.doorbell.wait(until: clock.uptime + limits.idle, clock: clock)
        }
      }
    }
    await giveWaitsBack()
  }

  private var isEnding: Bool { Task.isCancelled || state.withLock { $0.isStopping } }

  /// Each lease comes with a place for its steps. One transaction claims several: one after the other, each would wait for the disk.
  /// Half of the places stay free meanwhile, for steps that have waited.
  private func claimForFreePlaces() async throws -> [Lease] {
    try await prepareClaim()
    let free = places.takeSome(atMost: limits.claimsAtOnce)
    var leases: [Lease] = []
    defer { if places.leave(free - leases.count) { waitBell.ring() } }
    guard free > 0 else { return [] }
    leases = try await claim(free)
    if host.isAway || isEnding {
      state.withLock { $0.lostClaims += leases.map(\.token) }
      leases = []
      try await releaseLostClaims()
    }
    return leases
  }

  /// Runs the steps that have waited long enough, until the runner ends.
  private func resumeWaits() async {
    await withDiscardingTaskGroup { group in
      while !isEnding {
        let hasPlace = !host.isAway && !places.isFull
        if hasPlace, let lease = waits.takeDue(at: clock.uptime) {
          places.takeOne()
          group.addTask { await self.work(lease) }
        } else {
          let idle = clock.uptime + limits.idle
          await waitBell.wait(until: hasPlace ? min(waits.nextDue ?? idle, idle) : idle, clock: clock)
        }
      }
    }
  }

  private func giveWaitsBack() async {
    let tokens = waits.takeAll().map(\.token)
    guard !tokens.isEmpty else { return }
    do {
      try await store.releaseLeases(tokens, on: host.id)
    } catch {
      // The next one who has the host releases them, or has done so already.
      logger.log(
        level: Task.isCancelled ? .debug : .error, "leases are not given back",
        metadata: ["error": "\(String(reflecting: error))"])
    }
  }

  /// No operation is claimed any more.
  package func stop() {
    state.withLock { $0.isStopping = true }
    host.doorbell.ring()
    waitBell.ring()
  }

  /// Runs the step that has been due longest. Returns false where none is due, or the host is away.
  package func runNextStep() async throws -> Bool {
    guard !host.isAway, let lease = try await claimOne() else { return false }
    if case .over(isActivation: true) = await execute(lease, isAlone: true) { await becameActive() }
    return true
  }

  private func claimOne() async throws -> Lease? {
    try await prepareClaim()
    return try await claim(1).first
  }

  private func claim(_ count: Int) async throws -> [Lease] {
    let tokens = (0..<count).map { _ in UUID.random() }
    do {
      return try await store.claimOperations(on: host.id, as: tokens, at: clock.now)
    } catch {
      state.withLock { $0.lostClaims += tokens }
      throw error
    }
  }

  /// Tells the store what it is to know before the next claim.
  private func prepareClaim() async throws {
    host.takeTaken().forEach(leaveSlots)
    await giveLeasesBack()
    let hastened = state.withLock { state in
      defer { state.hastened = [] }
      return state.hastened
    }
    do {
      if !hastened.isEmpty { try await store.hasten(hastened, at: clock.now) }
    } catch {
      state.withLock { $0.hastened += hastened }
      throw error
    }
    try await releaseLostClaims()
  }

  /// A claim that failed may have been committed all the same, and nobody else would release its lease.
  private func releaseLostClaims() async throws {
    let tokens = state.withLock { state in
      defer { state.lostClaims = [] }
      return state.lostClaims
    }
    guard !tokens.isEmpty else { return }
    do {
      try await store.releaseLeases(tokens, on: host.id)
    } catch {
      state.withLock { $0.lostClaims += tokens }
      throw error
    }
  }

  /// Runs the step and those that follow it at once, then takes the next turn itself. Tasks that claim at the same time share
  /// a transaction; one after the other, each claim would wait for the disk.
  private func work(_ first: Lease) async {
    var next: Lease? = first
    var (isNewlyActive, isWaiting) = (false, false)
    while let lease = next {
      next = nil
      switch await execute(lease) {
      case .goesOn(let lease): next = lease
      case .waits:
        isWaiting = true
        // Whoever waits for this place would get it only by chance.
        if places.isFull, !host.isAway, !isEnding { next = try? await nextLease() }
      case .over(let isActivation):
        (isNewlyActive, isWaiting) = (isActivation, false)
        // If the store does not answer, `run` logs it.
        if !isActivation, !host.isAway, !isEnding { next = try? await nextLease() }
      }
    }
    let wasFull = places.leave(1)
    if isWaiting || wasFull { waitBell.ring() }
    if !isWaiting || wasFull { host.doorbell.ring() }
    // With thousands of machines an observation takes long: no step waits for it.
    if isNewlyActive { await becameActive() }
  }

  /// Steps that have waited come first, but not always, because there may be so many that nothing would be claimed any more.
  private func nextLease() async throws -> Lease? {
    let mayResume = state.withLock { state in
      state.resumedInRow = state.resumedInRow < Self.longestRow ? state.resumedInRow + 1 : 0
      return state.resumedInRow > 0
    }
    if mayResume, let lease = waits.takeDue(at: clock.uptime) {
      // An operation may have become due by what has just ended, and this task does not look.
      host.doorbell.ring()
      return lease
    }
    return try await claimOne()
  }

  private static let longestRow = 4

  /// - Parameter isAlone: Whether nothing but this step is to be run under the lease.
  private func execute(_ lease: Lease, isAlone: Bool = false) async -> StepProgress {
    let operation = lease.operation
    // The operation that it has overtaken may hold a slot, or wait for one.
    if operation.kind == .delete || operation.kind == .discard { leaveSlots(operation.serverID) }
    var found: Server?
    var notRun = StepOutcome(.wait(until: clock.now))
    do {
      // The lease may have been lost or overtaken while the step waited.
      found = try await store.server(under: lease)
    } catch let error where !(error is StoreUnavailable) {
      notRun = StepRunner.outcome(ofNotBeginning: error, at: clock.now)
    } catch {
      waits.add(lease, until: clock.uptime + limits.idle)
      return .waits
    }
    let (outcome, isGivenUp) = if let found { await outcome(of: lease, on: found) } else { (notRun, false) }
    // The next step of a move may be another host's.
    let keepsLease = found != nil && !isGivenUp && !isAlone && operation.kind != .move && !host.isAway && !isEnding
    if keepsLease, case .wait(let time, counts: true) = outcome.next {
      note(outcome.next, of: operation, .committed)
      waits.add(lease, until: clock.uptime + max(.zero, time - clock.now))
      return .waits
    }
    do {
      let result = try await store.commit(outcome, of: lease, keepsLease: keepsLease, at: clock.now)
      changes.tell(operation.serverID)
      report(outcome, of: operation, result)
      note(outcome.next, of: operation, result)
      if keepsLease, result == .committed, case .advance(let step) = outcome.next {
        return .goesOn(Lease(operation: operation.advanced(to: step), token: lease.token))
      }
      return .over(isActivation: result == .committed && outcome.effect?.isActivation == true)
    } catch {
      logger.error(
        "an outcome could not be committed; the step is run again",
        metadata: ["server": "\(operation.serverID)", "error": "\(String(reflecting: error))"])
      giveBackLater(lease, "What the step came to could not be written down: \(String(reflecting: error))")
      return .over(isActivation: false)
    }
  }

  private func note(_ next: StepOutcome.Next, of operation: Core.Operation, _ result: CommitResult) {
    let server = operation.serverID
    if operation.kind == .move { noteMove(next, of: server, result) }
    guard result != .fenced else { return }
    switch next {
    case _ where next.isEnd || result == .cancelled:
      stepTimes.forget(server)
      leaveSlots(server)
    case .wait(let time, counts: true), .retry(let time, _):
      stepTimes.wait(server, until: clock.uptime + (time - clock.now))
    case .wait(_, counts: false): stepTimes.forget(server)
    case .postpone:
      stepTimes.forget(server)
      // It may have got its slot before the outcome was committed.
      if bootSlots.isBusy(server) || copySlots.isBusy(server) { hasten([operation.id]) }
    case .advance, .undo, .succeed, .fail: stepTimes.forget(server)
    }
  }

  /// The next step may be another host's, which has slots of its own.
  private func noteMove(_ next: StepOutcome.Next, of server: ID<Server>, _ result: CommitResult) {
    switch next {
    case .wait, .postpone, .retry: guard result == .fenced else { return }
    case .advance, .undo, .succeed, .fail: fleet.ring()
    }
    hasten(copySlots.leave(server))
  }

  private func leaveSlots(_ server: ID<Server>) {
    hasten(bootSlots.leave(server) + copySlots.leave(server))
  }

  private func hasten(_ operations: [ID<Core.Operation>]) {
    guard !operations.isEmpty else { return }
    state.withLock { $0.hastened += operations }
    host.doorbell.ring()
  }

  // MARK: Leases that are not given back with an outcome

  private func giveBackLater(_ lease: Lease, _ reason: String) {
    // The time until the step is run again does not count against it.
    stepTimes.forget(lease.operation.serverID)
    state.withLock { $0.toGiveBack.append(Return(lease: lease, reason: reason, due: clock.uptime)) }
    host.doorbell.ring()
  }

  /// Commits a retry for each lease that is due, so that its step is run again. If that fails, it is tried again after a while.
  private func giveLeasesBack() async {
    let now = clock.uptime
    let due = state.withLock { state in
      let due = state.toGiveBack.filter { $0.due <= now }
      state.toGiveBack.removeAll { $0.due <= now }
      return due
    }
    for var one in due {
      do {
        let retry = StepOutcome.Next.retry(at: clock.now + StepRunner.retryDelay, operatorDetail: one.reason)
        _ = try await store.commit(StepOutcome(retry), of: one.lease, at: clock.now)
      } catch {
        one.due = now + limits.idle
        state.withLock { $0.toGiveBack.append(one) }
      }
    }
  }

  /// Runs the step, and cancels it where it takes too long. Tells whether it was given up, and is to be run again.
  private func outcome(of lease: Lease, on server: Server) async -> (StepOutcome, isGivenUp: Bool) {
    state.withLock { _ = $0.running.insert(lease.token) }
    let step = Task { await stepOutcome(of: lease, on: server) }
    let watch = Task {
      try await clock.sleep(for: limits.longestStep)
      step.cancel()
      try await clock.sleep(for: limits.longestEnd)
      guard endStep(of: lease) else { return }
      giveBackLater(lease, "A step did not return, not even when it was ended.")
    }
    defer { watch.cancel() }
    let outcome = await withTaskCancellationHandler {
      await step.value
    } onCancel: {
      step.cancel()
    }
    return (outcome, isGivenUp: !endStep(of: lease))
  }

  /// Returns false where the step has been given up, or has ended.
  private func endStep(of lease: Lease) -> Bool {
    state.withLock { $0.running.remove(lease.token) != nil }
  }

  private func stepOutcome(of lease: Lease, on server: Server) async -> StepOutcome {
    do {
      let catalogue = try await catalogueReader.catalogue()
      guard let plan = catalogue.plan(server.planID),
        let operatingSystem = catalogue.operatingSystem(server.operatingSystemID)
      else { throw Failure.internalError("The operation's plan or operating system is missing.") }
      let context = StepContext(
        server: server, plan: plan, operatingSystem: operatingSystem, catalogue: catalogue, lease: lease,
        now: clock.now,
        elapsed: stepTimes.elapsed(of: lease.operation, at: clock.uptime),
        agentAnswers: { [stepTimes, clock] in stepTimes.agentAnswers(of: server.id, at: clock.uptime) },
        driver: host.driver, fleet: fleet,
        store: store, addressPools: addressPools, bootSlots: bootSlots, copySlots: copySlots,
        copiesAtOnce: limits.copiesAtOnce, key: key)
      return await StepRunner(clock: clock, logger: logger).outcome(of: context)
    } catch {
      return StepRunner.outcome(ofNotBeginning: error, at: clock.now)
    }
  }
}
