import Core
import Engine
import Foundation
import Logging
import SQLStore
import ServiceLifecycle
import SimulatedDriver

/// The duties that this service has taken over among those that share a database: for single hosts, and for the installation.
struct SharedDuties: Service {
  let tenures: Tenures
  private let store: SQLStore
  private let fleet: Fleet
  private let changes: Broadcast
  private let clock: InstallationClock

  init(
    _ workshop: Workshop, of replica: Replica, _ store: SQLStore, _ hosted: HostedFleet, clock: InstallationClock,
    logger: Logger
  ) {
    self.store = store
    self.clock = clock
    fleet = workshop.fleet
    changes = workshop.changes
    let begin = Beginning(workshop: workshop, store: store, hosted: hosted)
    tenures = Tenures(
      of: replica, store: store, duties: [.installation] + hosted.members.map { .host($0.host.id) }, clock: clock,
      logger: logger, begin: { try await begin.work(for: $0) },
      looked: { [fleet, store] held in await Self.look(at: fleet, store, but: held) })
  }

  func run() async throws {
    await withDiscardingTaskGroup { group in
      group.addTask { await tenures.run() }
      let listener = Task { await listen() }
      group.addTask {
        try? await gracefulShutdown()
        await tenures.leave()
        listener.cancel()
      }
    }
  }

  /// Returns when all hosts answer, whichever service watches them, or after ten seconds.
  func greet() async {
    let deadline = clock.uptime + .seconds(10)
    while fleet.hosts.contains(where: \.isAway), clock.uptime < deadline, !Task.isCancelled {
      try? await clock.sleep(for: .milliseconds(20))
    }
  }

  private func listen() async {
    for await change in store.changesElsewhere() {
      switch change {
      case .server(let server, let host):
        fleet.ring(host)
        changes.tell(server)
      case .duty: tenures.look()
      case .unknown:
        tenures.look()
        fleet.ring()
        changes.tellAll()
      }
    }
  }

  /// Updates which hosts are away, as the services that watch them have stored it.
  private static func look(at fleet: Fleet, _ store: SQLStore, but held: Set<Duty>) async {
    guard let loads = try? await store.hosts() else { return }
    for load in loads where !held.contains(.host(load.host.id)) {
      fleet[load.host.id]?.noteElsewhere(isAway: load.host.awaySince != nil)
    }
  }
}

/// Creates the work for a duty.
private struct Beginning: Sendable {
  struct NotShared: Error {
    let host: ID<Core.Host>
  }

  let workshop: Workshop
  let store: SQLStore
  let hosted: HostedFleet

  func work(for tenure: Tenure) async throws -> Tenures.Work {
    let store = store.under(tenure)
    switch tenure.duty {
    case .installation: return installation(store)
    case .host(let id):
      let member = hosted.members.first { $0.host.id == id }
      guard let member, let driver = member.driver as? SimulatedDriver else { throw NotShared(host: id) }
      let load = try await store.hosts().first { $0.host.id == id }
      try driver.takeOver(term: tenure.term, isNew: load?.serverCount == 0)
      member.host.noteElsewhere(isAway: load?.host.awaySince != nil)
      return host(workshop.work(of: member.host, store), driver, tenure.term)
    }
  }

  private func installation(_ store: SQLStore) -> Tenures.Work {
    let (schedule, billing) = (workshop.schedule(store), workshop.billing(store))
    return Tenures.Work {
      await withDiscardingTaskGroup { group in
        group.addTask { await schedule.run() }
        group.addTask { await billing.run() }
        group.addTask { await workshop.notify(store) }
        group.addTask { await workshop.keepReverseNames(store) }
      }
    } finish: {
    }
  }

  private func host(_ work: HostWork, _ driver: SimulatedDriver, _ term: Int64) -> Tenures.Work {
    let isOver = Doorbell()
    return Tenures.Work {
      await SimulatedDriver.$term.withValue(term) {
        await withDiscardingTaskGroup { group in
          group.addTask {
            await work.runner.run()
            isOver.ring()
          }
          group.addTask { await work.watch() }
        }
        try? await driver.endWork()
      }
      driver.letGo(term: term)
    } finish: {
      work.runner.stop()
      await isOver.wait(until: workshop.clock.uptime + .seconds(60), clock: workshop.clock)
    }
  }
}
