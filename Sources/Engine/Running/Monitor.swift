package import Core
import Foundation
package import Logging
import Synchronization

/// Looks at all machines, every few seconds and whenever the driver hints that something happened: what differs is
/// reconciled, what is used is written down.
package final class Monitor: Sendable {
  /// Where there are thousands of machines a look takes its time, and there is a reason for another one at any moment: between
  /// two, this many times as long is left to those who work.
  private static let restRatio = 9
  /// Others who write have their turn in between.
  private static let samplesAtOnce = 500

  private let store: any Store
  private let driver: any ComputeDriver
  private let catalogueReader: CatalogueReader
  private let authenticator: Authenticator
  private let doorbell: Doorbell
  private let clock: any WallClock
  private let logger: Logger
  private let interval: Duration
  private let reconciler: Reconciler
  private let meter = UsageMeter()
  private let hint = Doorbell()

  private struct Looks: Sendable {
    var last: Task<Void, Never>?
    /// The last one, while it has not begun.
    var waiting: Task<Void, Never>?
  }

  private let looks = Mutex(Looks())

  package init(
    store: any Store, driver: any ComputeDriver, catalogueReader: CatalogueReader, authenticator: Authenticator,
    doorbell: Doorbell, changes: Broadcast, clock: any WallClock, logger: Logger, interval: Duration = .seconds(5)
  ) {
    self.store = store
    self.driver = driver
    self.catalogueReader = catalogueReader
    self.authenticator = authenticator
    self.doorbell = doorbell
    self.clock = clock
    self.logger = logger
    self.interval = interval
    reconciler = Reconciler(store: store, driver: driver, changes: changes, clock: clock, logger: logger)
  }

  /// Runs until cancellation.
  package func run() async {
    let events = driver.events()
    await withDiscardingTaskGroup { group in
      group.addTask {
        for await _ in events { self.hint.ring() }
      }
      while !Task.isCancelled {
        let began = clock.uptime
        await look()
        let pause = min((clock.uptime - began) * Self.restRatio, interval)
        try? await clock.sleep(for: pause)
        await hint.wait(until: began + interval, clock: clock)
      }
    }
  }

  /// Something has happened to a machine. Whoever says so waits for nothing.
  package func lookSoon() {
    hint.ring()
  }

  /// Whether somebody waits for a look that has not begun.
  var isLookWaiting: Bool { looks.withLock { $0.waiting != nil } }

  /// One look at a time: counters that are written down in another order than they were read would seem to begin anew. Who
  /// comes during a look shares the next one with all others who came.
  package func look() async {
    let look = looks.withLock { looks in
      if let waiting = looks.waiting { return waiting }
      let look = Task { [before = looks.last] in
        await before?.value
        self.looks.withLock { $0.waiting = nil }
        await self.lookNow()
      }
      looks = Looks(last: look, waiting: look)
      return look
    }
    await look.value
  }

  private func lookNow() async {
    let began = clock.uptime
    do {
      let inventory = try await store.inventory()
      let observed = try await driver.observe()
      if try await reconciler.reconcile(inventory, observed) { doorbell.ring() }
      let catalogue = try await catalogueReader.catalogue()
      let samples = meter.samples(inventory, observed, catalogue, at: clock.uptime)
      try await record(samples)
      try await authenticator.recordUses()
      logger.debug(
        "looked at the machines",
        metadata: ["machines": "\(observed.count)", "milliseconds": "\((clock.uptime - began).milliseconds)"])
    } catch is CancellationError {
      return
    } catch {
      logger.error("machines could not be looked at", metadata: ["error": "\(String(reflecting: error))"])
    }
  }

  private func record(_ samples: [UsageSample]) async throws {
    var rest = samples[...]
    while !rest.isEmpty {
      try await store.recordUsage(Array(rest.prefix(Self.samplesAtOnce)), at: clock.now)
      rest = rest.dropFirst(Self.samplesAtOnce)
    }
  }
}
