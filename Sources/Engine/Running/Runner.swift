package import Core
package import Logging
import Synchronization

/// Carries out operations: claims what is due, runs its next step, commits the outcome. Everything it knows is in the
/// store, so a new process goes on where a dead one was.
package final class Runner: Sendable {
  package struct Limits: Sendable {
    package var stepsAtOnce = 32
    /// How many disks are copied at the same time.
    package var copiesAtOnce = 2
    package var lease = Duration.seconds(60)
    /// A step that has not returned by then is cancelled. Drivers bound their own calls well below.
    package var longestStep = Duration.seconds(150)
    /// How long the runner sleeps at most: other processes may write to the store.
    package var idle = Duration.seconds(1)

    package init() {}
  }

  private let store: any Store
  private let driver: any ComputeDriver
  private let catalogueReader: CatalogueReader
  private let addressPool: AddressPool
  private let doorbell: Doorbell
  private let changes: Broadcast
  private let clock: any WallClock
  private let logger: Logger
  private let limits: Limits
  private let becameActive: @Sendable () async -> Void
  private let bootSlots = HostSlots()
  private let copySlots = HostSlots()
  private let state = Mutex((isStopping: false, stepsUnderWay: 0))

  /// - Parameter becameActive: Called after a server has become active, for its first measurement.
  package init(
    store: any Store, driver: any ComputeDriver, catalogueReader: CatalogueReader, addressPool: AddressPool,
    doorbell: Doorbell, changes: Broadcast, clock: any WallClock, logger: Logger, limits: Limits = Limits(),
    becameActive: @escaping @Sendable () async -> Void
  ) {
    self.store = store
    self.driver = driver
    self.catalogueReader = catalogueReader
    self.addressPool = addressPool
    self.doorbell = doorbell
    self.changes = changes
    self.clock = clock
    self.logger = logger
    self.limits = limits
    self.becameActive = becameActive
  }

  /// Runs until `stop` or cancellation; the steps under way are waited for.
  package func run() async {
    await withDiscardingTaskGroup { group in
      while !Task.isCancelled, !state.withLock({ $0.isStopping }) {
        do {
          if state.withLock({ $0.stepsUnderWay >= limits.stepsAtOnce }) {
            // The end of a step rings.
            await doorbell.wait(until: clock.uptime + limits.idle, clock: clock)
          } else if let lease = try await claim() {
            state.withLock { $0.stepsUnderWay += 1 }
            group.addTask { await self.work(lease) }
          } else {
            let pause = try await store.nextOperationDue().map { $0 - clock.now } ?? limits.idle
            await doorbell.wait(until: clock.uptime + max(min(pause, limits.idle), .milliseconds(5)), clock: clock)
          }
        } catch {
          logger.error("the store does not answer", metadata: ["error": "\(String(reflecting: error))"])
          await doorbell.wait(until: clock.uptime + limits.idle, clock: clock)
        }
      }
    }
  }

  /// Claims nothing any more.
  package func stop() {
    state.withLock { $0.isStopping = true }
    doorbell.ring()
  }

  /// Runs the one step that is due for longest. Returns false where none is due.
  package func runNextStep() async throws -> Bool {
    guard let lease = try await claim() else { return false }
    if await execute(lease) { await becameActive() }
    return true
  }

  private func claim() async throws -> Lease? {
    let now = clock.now
    return try await store.claimOperation(at: now, leaseUntil: now + limits.lease)
  }

  private func work(_ lease: Lease) async {
    let isNewlyActive = await execute(lease)
    state.withLock { $0.stepsUnderWay -= 1 }
    doorbell.ring()
    // A look at all machines may take its time where there are thousands: no step waits for it.
    if isNewlyActive { await becameActive() }
  }

  /// Returns whether a server has become active by it.
  private func execute(_ lease: Lease) async -> Bool {
    let operation = lease.operation
    // What it overtook may have waited for its turn.
    if operation.kind == .delete || operation.kind == .discard { leaveSlots(operation.serverID) }
    do {
      guard let outcome = await outcome(of: lease) else { return false }
      let result = try await store.commit(outcome, of: lease, at: clock.now)
      changes.tell(operation.serverID)
      report(outcome, of: operation, result)
      if outcome.next.isEnd || result == .cancelled { leaveSlots(operation.serverID) }
      return result == .committed && outcome.effect == .becameActive
    } catch {
      // The lease runs out, and the step is run again.
      logger.error(
        "an outcome could not be committed",
        metadata: ["server": "\(operation.serverID)", "error": "\(String(reflecting: error))"])
      return false
    }
  }

  private func leaveSlots(_ server: ID<Server>) {
    bootSlots.leave(server)
    copySlots.leave(server)
  }

  /// The outcome of the step, run beside a task that keeps its lease and ends it when it takes too long.
  private func outcome(of lease: Lease) async -> StepOutcome? {
    await withTaskGroup(of: StepOutcome?.self) { group in
      group.addTask {
        do {
          let context = try await self.context(for: lease)
          return await StepRunner(clock: self.clock, logger: self.logger).outcome(of: context)
        } catch {
          let delay = StepRunner.maximumRetryDelay
          return StepOutcome(.retry(at: self.clock.now + delay, operatorDetail: String(reflecting: error)))
        }
      }
      group.addTask {
        await self.keep(lease)
        return nil
      }
      // Where the keeper is first, the step was cancelled and still says what it came to.
      let first = await group.next() ?? nil
      group.cancelAll()
      let second = await group.next() ?? nil
      return first ?? second
    }
  }

  /// Renews the lease until the step takes too long, or the lease is lost.
  private func keep(_ lease: Lease) async {
    let giveUpAt = clock.uptime + limits.longestStep
    while !Task.isCancelled, clock.uptime < giveUpAt {
      do {
        try await clock.sleep(for: limits.lease / 3)
        guard try await store.renew(lease, until: clock.now + limits.lease) else { return }
      } catch is CancellationError {
        return
      } catch {
        logger.error("a lease could not be renewed", metadata: ["error": "\(String(reflecting: error))"])
      }
    }
  }

  private func context(for lease: Lease) async throws -> StepContext {
    let catalogue = try await catalogueReader.catalogue()
    guard let server = try await store.server(lease.operation.serverID), let plan = catalogue.plan(server.planID),
      let operatingSystem = catalogue.operatingSystem(server.operatingSystemID)
    else { throw Failure.internalError("The operation's server, plan or operating system is missing.") }
    return StepContext(
      server: server, plan: plan, operatingSystem: operatingSystem, catalogue: catalogue, lease: lease,
      now: clock.now, driver: driver,
      store: store, addressPool: addressPool, bootSlots: bootSlots, copySlots: copySlots,
      copiesAtOnce: limits.copiesAtOnce)
  }

  private func report(_ outcome: StepOutcome, of operation: Operation, _ result: CommitResult) {
    let metadata: Logger.Metadata = [
      "server": "\(operation.serverID)", "operation": "\(operation.kind.rawValue)",
    ]
    switch (result, outcome.next) {
    case (.fenced, _): logger.warning("a lease was lost; the step is run again", metadata: metadata)
    case (.cancelled, _): logger.info("operation cancelled by a delete", metadata: metadata)
    case (.committed, .succeed): logger.info("operation succeeded", metadata: metadata)
    case (.committed, .fail(_, let detail)):
      logger.error("operation failed", metadata: metadata.merging(["detail": "\(detail)"]) { $1 })
    case (.committed, .advance), (.committed, .wait), (.committed, .postpone), (.committed, .retry),
      (.committed, .undo):
      break
    }
  }
}
