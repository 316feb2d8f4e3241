package import Core
import Foundation
package import Logging
import Synchronization

/// Observes all machines of one host, every few seconds and whenever its driver hints that something happened. Differences are
/// reconciled, usage is recorded, and a host that does not answer is declared away.
package final class Monitor: Sendable {
  /// With thousands of machines an observation takes long, and there is always a reason for the next one. After each, this many
  /// times its duration is left to other work.
  private static let restRatio = 9
  /// An upper limit, so that a shutdown inside a guest is seen within five seconds even where one observation takes a second.
  private static let longestRest = Duration.seconds(2)
  private static let silenceInterval = Core.Host.longestSilence / 6
  /// How long to wait before a host is asked again to take over a server's addresses.
  static let addressInterval = Duration.seconds(300)
  /// How many metrics one transaction writes; other writers have their turn in between.
  private static let metricsAtOnce = 500

  /// How many servers of a host that is drained are moved at the same time.
  private static let movesAtOnce = 1
  /// How long a server whose move has failed is left alone.
  private static let moveInterval = Duration.seconds(600)

  private let host: FleetHost
  private let fleet: Fleet
  private let store: any InventoryStore & EventStore & HostStore & MetricStore
  private let catalogueReader: CatalogueReader
  private let changes: Broadcast
  private let clock: any WallClock
  private let logger: Logger
  private let interval: Duration
  private let reconciler: Reconciler
  private let limitsKeeper: LimitsKeeper
  private let meter = UsageMeter()
  private let metrics = MetricMeter()
  private var hint: Doorbell { host.monitorBell }
  /// The capacity that this process has recorded last; the outer nil until it has recorded one.
  private let recordedCapacity = Mutex<HostCapacity??>(nil)

  /// Since when the host is away, where that could not be written down yet.
  private let unrecordedAbsence = Mutex<Timestamp?>(nil)

  /// The servers that were last said to find no room elsewhere.
  private let withoutRoom = Mutex<[ID<Server>]>([])

  private struct Looks: Sendable {
    var last: Task<Void, Never>?
    /// The last observation, while it has not begun.
    var waiting: Task<Void, Never>?
  }

  private let looks = Mutex(Looks())

  package init(
    of host: FleetHost, in fleet: Fleet, store: any InventoryStore & EventStore & HostStore & MetricStore,
    catalogueReader: CatalogueReader,
    changes: Broadcast, clock: any WallClock,
    logger: Logger, interval: Duration = .seconds(5)
  ) {
    var logger = logger
    logger[metadataKey: "host"] = "\(host.name)"
    self.host = host
    self.fleet = fleet
    self.store = store
    self.catalogueReader = catalogueReader
    self.changes = changes
    self.clock = clock
    self.logger = logger
    self.interval = interval
    limitsKeeper = LimitsKeeper(host.driver, clock: clock, logger: logger)
    reconciler = Reconciler(
      of: host, in: fleet, store: store, changes: changes, clock: clock, logger: logger)
  }

  /// Prepares the first order: returns when the host's capacity is recorded, and a host that is away has been observed. Many
  /// machines take long to observe, so that a host that answered last is left to `run`.
  package func greet() async {
    if host.isAway { return await pollOnce() }
    do {
      let capacity = try await host.driver.capacity()
      // It may have taken so long that the host was declared away meanwhile.
      if !host.isAway { try await record(capacity) }
    } catch {
      logger.error("a host does not tell its capacity", metadata: ["error": "\(String(reflecting: error))"])
    }
  }

  /// Runs until cancellation.
  package func run() async {
    let events = host.driver.events()
    await withDiscardingTaskGroup { group in
      group.addTask {
        for await _ in events { self.hint.ring() }
      }
      // In a task of its own, because an observation that hangs would report nothing.
      group.addTask {
        while !Task.isCancelled {
          try? await self.clock.sleep(for: Self.silenceInterval)
          await self.noteSilence()
        }
      }
      group.addTask {
        while !Task.isCancelled {
          // Each observation rings this bell while there are limits to apply.
          await self.limitsKeeper.bell.wait(until: self.clock.uptime + .seconds(3600), clock: self.clock)
          await self.keepLimits()
        }
      }
      while !Task.isCancelled {
        let began = clock.uptime
        await pollOnce()
        let look = clock.uptime - began
        try? await clock.sleep(for: min(look * Self.restRatio, max(look, Self.longestRest)))
        await hint.wait(until: began + interval, clock: clock)
      }
    }
  }

  /// Requests an observation without waiting for it, because something has happened to a machine.
  package func pollSoon() {
    hint.ring()
  }

  /// Whether an observation is queued that has not begun.
  var isPollWaiting: Bool { looks.withLock { $0.waiting != nil } }

  /// Returns after an observation that begins after the call. Only one runs at a time: counters recorded in another order than
  /// they were read would seem to begin anew. All callers during an observation share the next one.
  package func pollOnce() async {
    let look = looks.withLock { looks in
      if let waiting = looks.waiting { return waiting }
      let look = Task { [before = looks.last] in
        await before?.value
        self.looks.withLock { $0.waiting = nil }
        await self.poll()
      }
      looks = Looks(last: look, waiting: look)
      return look
    }
    await look.value
  }

  /// Applies the limits of their plans to the machines of the last observation.
  package func keepLimits() async {
    guard !host.isAway else { return }
    await limitsKeeper.keep()
  }

  private func poll() async {
    let began = clock.uptime
    do {
      let inventory = try await store.inventory(of: host.id)
      host.asked(at: clock.uptime)
      let asked = clock.now
      let observed = try await host.driver.observe()
      try await noteAnswer()
      if try await reconciler.takeAwaited() { host.doorbell.ring() }
      let look = HostLook(inventory, observed)
      if try await reconciler.reconcile(look) { host.doorbell.ring() }
      try await reconciler.removeLeftovers()
      let now = clock.now
      let isReclaimed = try await store.reclaimMoves(
        from: host.id, by: StartServer.firstStep.rawValue,
        because: "The server's new host did not answer, so it stays where it is.", at: now)
      if isReclaimed { host.doorbell.ring() }
      await continueDraining(at: now)
      if try await store.readdressMissed(on: host.id, triedBefore: now - Self.addressInterval, at: now) {
        host.doorbell.ring()
      }
      let plans = PlanSizes(try await catalogueReader.catalogue())
      limitsKeeper.note(look, plans)
      let usage = meter.measure(look, plans, at: asked, clock.uptime)
      metrics.add(usage.samples, of: look, at: clock.now, clock.uptime)
      try await meter.writeDown(usage.changes) { try await store.recordUsage($0, at: clock.now) }
      try await metrics.writeDown(recordMetrics)
      logger.debug(
        "looked at the machines",
        metadata: ["machines": "\(observed.machines.count)", "milliseconds": "\((clock.uptime - began).milliseconds)"])
    } catch is CancellationError {
      return
    } catch {
      logger.error("machines could not be looked at", metadata: ["error": "\(String(reflecting: error))"])
      await noteSilence()
    }
  }

  /// Moves the next server away where the operator wants that.
  private func continueDraining(at now: Timestamp) async {
    let receivers = host.location.map { fleet.receivers(ofMachinesOn: host.id, at: $0) } ?? []
    let progress: DrainProgress
    do {
      progress = try await store.continueDraining(
        of: host.id, to: receivers, atOnce: Self.movesAtOnce, triedBefore: now - Self.moveInterval, at: now)
    } catch {
      // It is no reason to measure nothing.
      if !(error is CancellationError) {
        logger.error("a host is not drained", metadata: ["error": "\(String(reflecting: error))"])
      }
      return
    }
    host.note(movesServersAt: progress.movesServersAt)
    if progress.isMoveQueued { fleet.ring() }
    let isNew = withoutRoom.withLock { known in
      defer { known = progress.withoutRoom }
      return known != progress.withoutRoom
    }
    guard isNew, !progress.withoutRoom.isEmpty else { return }
    let servers = progress.withoutRoom.map { "\($0)" }.joined(separator: ", ")
    logger.warning("servers stay on a host that is drained: no other one has room", metadata: ["servers": "\(servers)"])
  }

  private func recordMetrics(_ minute: MetricMeter.Minute) async throws {
    var rest = minute[...]
    while !rest.isEmpty {
      let some = rest.prefix(Self.metricsAtOnce)
      try await store.recordMetrics(Dictionary(uniqueKeysWithValues: some.map { ($0.id, $0.metric) }))
      rest = rest.dropFirst(Self.metricsAtOnce)
    }
  }

  private func noteAnswer() async throws {
    try await record(try await host.driver.capacity())
    unrecordedAbsence.withLock { $0 = nil }
    guard host.answered() else { return }
    logger.notice("the host answers again")
    changes.tellAll()
  }

  /// Records the host's capacity in the store, so that no create has to ask a host for it.
  private func record(_ capacity: HostCapacity?) async throws {
    if host.isAway || recordedCapacity.withLock({ $0 != .some(capacity) }) {
      try await store.recordAnswer(of: host.id, capacity: capacity)
      recordedCapacity.withLock { $0 = .some(capacity) }
    }
  }

  /// Declares the host away if it has been silent for too long. To be called now and then; `noteAnswer` does the opposite.
  func noteSilence() async {
    if host.noteSilence(at: clock.uptime) {
      logger.error("the host does not answer: nothing more is asked of it until it does")
      unrecordedAbsence.withLock { $0 = clock.now - host.driver.timing.longestSilence }
      await recordAbsence()
      changes.tellAll()
    } else if host.isAway {
      await recordAbsence()
    }
  }

  /// Writes down that the host is away, where that is still to be done.
  private func recordAbsence() async {
    guard let time = unrecordedAbsence.withLock({ $0 }) else { return }
    do {
      try await store.recordAway(host.id, since: time)
      unrecordedAbsence.withLock { $0 = nil }
      // An answer that was written down just before would count for nothing.
      recordedCapacity.withLock { $0 = nil }
    } catch {
      logger.error("that a host is away could not be written down", metadata: ["error": "\(String(reflecting: error))"])
    }
  }
}
