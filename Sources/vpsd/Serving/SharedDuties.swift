import Core
import Engine
import Foundation
import IncusDriver
import Logging
import SQLStore
import ServiceLifecycle
import SimulatedDriver
import Synchronization

/// The duties that this service has taken over among those that share a database: for single hosts, and for the installation.
struct SharedDuties: Service {
  let tenures: Tenures
  private let store: SQLStore
  private let fleet: Fleet
  private let changes: Broadcast
  private let clock: InstallationClock

  /// - Parameter hosted: All of its hosts are shared with the other services, or all are only this one's.
  init(
    _ workshop: Workshop, of replica: Replica, _ store: SQLStore, _ hosted: HostedFleet, clock: InstallationClock,
    logger: Logger
  ) {
    self.store = store
    self.clock = clock
    fleet = workshop.fleet
    changes = workshop.changes
    let begin = Beginning(workshop: workshop, store: store, hosted: hosted, logger: logger)
    let (hosts, areShared) = (hosted.duties, workshop.configuration.sharesHosts)
    for host in fleet.hosts { host.note(isServedHere: false) }
    tenures = Tenures(
      of: replica, store: store, duties: [.installation] + (areShared ? hosts : []), own: areShared ? [] : hosts,
      clock: clock, logger: logger, begin: { try await begin.work(for: $0) },
      looked: { [fleet, changes, store, hosted] held in
        await Self.look(at: fleet, changes, store, but: hosted.hosts(of: held))
      })
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

  /// Returns when all hosts of this service answer, whichever service watches them, or after ten seconds.
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
      case .passwordReset(let host): fleet.ringForPasswords(of: host)
      case .duty, .host: tenures.look()
      case .unknown:
        tenures.look()
        fleet.ring()
        fleet.ringForPasswords(of: nil)
        changes.tellAll()
      }
    }
  }

  /// Updates which hosts are away, as the services that watch them have stored it.
  private static func look(
    at fleet: Fleet, _ changes: Broadcast, _ store: SQLStore, but held: Set<ID<Core.Host>>
  ) async {
    guard let loads = try? await store.hosts() else { return }
    if fleet.note(loads) { changes.tellAll() }
    for load in loads where !held.contains(load.host.id) {
      fleet[load.host.id]?.noteElsewhere(isAway: load.host.awaySince != nil)
    }
  }
}

extension HostedFleet {
  /// One for each host, or for all members of a cluster together: they have one list of instances, and one connection for events.
  fileprivate var duties: [Duty] {
    members.reduce(into: []) { duties, member in
      let duty = member.duty
      if !duties.contains(duty) { duties.append(duty) }
    }
  }

  fileprivate func hosts(of duties: Set<Duty>) -> Set<ID<Core.Host>> {
    Set(members.filter { duties.contains($0.duty) }.map(\.host.id))
  }
}

extension HostedFleet.Member {
  fileprivate var duty: Duty {
    guard driver is IncusDriver, let location else { return .host(host.id) }
    return .location(location)
  }
}

/// Creates the work for a duty.
private struct Beginning: Sendable {
  struct NotShared: Error {
    let duty: Duty
  }

  let workshop: Workshop
  let store: SQLStore
  let hosted: HostedFleet
  let logger: Logger
  let runs = RunsInTurn()

  func work(for tenure: Tenure) async throws -> Tenures.Work {
    let store = store.under(tenure)
    switch tenure.duty {
    case .installation: return installation(store)
    case .host(let id):
      guard let member = hosted.members.first(where: { $0.host.id == id }) else {
        throw NotShared(duty: tenure.duty)
      }
      let load = try await store.hosts().first { $0.host.id == id }
      member.host.noteElsewhere(isAway: load?.host.awaySince != nil)
      let work = workshop.work(of: member.host, store)
      guard workshop.configuration.sharesHosts else { return own(work, member.host) }
      guard let driver = member.driver as? SimulatedDriver else { throw NotShared(duty: tenure.duty) }
      try driver.takeOver(term: tenure.term, isNew: load?.serverCount == 0)
      return shared(work, member.host, driver, tenure.term)
    case .location: return try await cluster(tenure, store)
    }
  }

  /// All hosts of a cluster.
  private func cluster(_ tenure: Tenure, _ store: SQLStore) async throws -> Tenures.Work {
    let members = hosted.members.filter { $0.duty == tenure.duty }
    guard let driver = members.first?.driver as? IncusDriver,
      let term = IncusTerm(
        tenure.term, of: driver.cluster, clock: workshop.clock, logger: logger,
        isHeld: {
          do {
            try await store.requireTenure()
            return true
          } catch is TenureLost {
            return false
          }
        })
    else { throw NotShared(duty: tenure.duty) }
    for load in try await store.hosts() {
      members.first { $0.host.id == load.host.id }?.host.noteElsewhere(isAway: load.host.awaySince != nil)
    }
    let parts = members.map { (work: workshop.work(of: $0.host, store), host: $0.host, isOver: Doorbell()) }
    return Tenures.Work {
      await term.hold {
        await withDiscardingTaskGroup { group in
          for part in parts { group.addTask { await run(part.work, on: part.host, part.isOver) } }
        }
      }
    } finish: {
      await withDiscardingTaskGroup { group in
        for part in parts { group.addTask { await finish(part.work, part.isOver) } }
      }
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

  private func shared(
    _ work: HostWork, _ host: FleetHost, _ driver: SimulatedDriver, _ term: Int64
  ) -> Tenures.Work {
    let isOver = Doorbell()
    return Tenures.Work {
      await SimulatedDriver.$term.withValue(term) {
        await run(work, on: host, isOver)
        try? await driver.endWork()
      }
      driver.letGo(term: term)
    } finish: {
      await finish(work, isOver)
    }
  }

  /// What an earlier term has begun may still be in the middle of a call, which the hypervisor carries out: the next one begins
  /// when it is over.
  private func own(_ work: HostWork, _ host: FleetHost) -> Tenures.Work {
    let isOver = Doorbell()
    return Tenures.Work {
      await runs.run { await run(work, on: host, isOver) }
    } finish: {
      await finish(work, isOver)
    }
  }

  private func run(_ work: HostWork, on host: FleetHost, _ isOver: Doorbell) async {
    host.note(isServedHere: true)
    await withDiscardingTaskGroup { group in
      group.addTask {
        await work.runner.run()
        isOver.ring()
      }
      group.addTask { await work.watch() }
    }
    host.note(isServedHere: false)
  }

  private func finish(_ work: HostWork, _ isOver: Doorbell) async {
    work.runner.stop()
    await isOver.wait(until: workshop.clock.uptime + .seconds(60), clock: workshop.clock)
  }
}

/// Runs one body after the other, each when those before it have ended.
private final class RunsInTurn: Sendable {
  private let last = Mutex<Task<Void, Never>?>(nil)

  /// Returns when the body has ended; cancellation is passed on to it.
  func run(_ body: @escaping @Sendable () async -> Void) async {
    let task = last.withLock { last in
      let task = Task { [before = last] in
        await before?.value
        if !Task.isCancelled { await body() }
      }
      last = task
      return task
    }
    await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      task.cancel()
    }
  }
}
