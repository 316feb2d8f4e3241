import Core
import Foundation
import Logging
import SimulatedDriver
import TestSupport
import Testing

@testable import Engine

@Suite("Rows and machines are brought together")
struct ReconciliationTests {
  @Test("A guest that powers itself off is stopped")
  func guestPowersOff() async throws {
    let service = try await TestService(hosts: TestService.threeHosts)
    let id = try await service.activeServer()
    try service.driver.guestPowersOff(try await machine(of: id, service))
    await service.monitor.pollOnce()
    #expect(try await service.status(of: id) == .stopped)
  }

  @Test("A guest that powers itself off while its disk is copied is stopped at once; one that crashes comes back")
  func duringBackup() async throws {
    for (ends, seen, atLast) in [
      (SimulatedDriver.guestPowersOff, ServerStatus.stopped, ServerStatus.stopped),
      (SimulatedDriver.crash, .starting, .active),
    ] {
      let service = try await TestService(hosts: TestService.threeHosts)
      let id = try await service.activeServer()
      let backup = try await service.backups.create(.init(server: .id(id)), service.owner)
      while try await service.store.operations(of: id).last?.step != "copy" {
        _ = try await service.runner.runNextStep()
      }
      try ends(service.driver)(try await machine(of: id, service))
      await service.monitor.pollOnce()
      #expect(try await service.status(of: id) == seen)
      try await service.settle()
      #expect(try await service.status(of: id) == atLast)
      #expect(try await service.backups.read(backup.id, service.owner).status == .completed)
      #expect(try await service.contradictionsAtRest() == [])
    }
  }

  @Test("A machine that crashed is started again, three times in ten minutes, and then left in error")
  func crash() async throws {
    let service = try await TestService(hosts: TestService.threeHosts)
    let id = try await service.activeServer()
    for _ in 1...3 {
      try service.driver.crash(try await machine(of: id, service))
      await service.monitor.pollOnce()
      #expect(try await service.status(of: id) == .starting)
      try await service.settle()
      #expect(try await service.status(of: id) == .active)
    }
    try service.driver.crash(try await machine(of: id, service))
    await service.monitor.pollOnce()
    #expect(try await service.status(of: id) == .error)
    _ = try await service.servers.perform(.start, on: id, service.owner)
    try await service.settle()
    #expect(try await service.status(of: id) == .active)
  }

  @Test("Crashes further apart than ten minutes are always recovered")
  func rareCrashes() async throws {
    let service = try await TestService(hosts: TestService.threeHosts)
    let id = try await service.activeServer()
    for _ in 1...5 {
      try service.driver.crash(try await machine(of: id, service))
      await service.monitor.pollOnce()
      try await service.settle()
      #expect(try await service.status(of: id) == .active)
      service.clock.advance(by: .seconds(300))
    }
  }

  @Test("After a restart of the host, what was active comes back and what was stopped stays")
  func hostRestarts() async throws {
    let service = try await TestService(hosts: TestService.threeHosts)
    let active = try await service.activeServer()
    let stopped = try await service.activeServer()
    _ = try await service.servers.perform(.stop, on: stopped, service.owner)
    try await service.settle()
    try service.driver.hostRestarts()
    await service.monitor.pollOnce()
    try await service.settle()
    #expect(try await service.status(of: active) == .active)
    #expect(try await service.status(of: stopped) == .stopped)
  }

  @Test("A server whose machine is paused for want of room stays active, and goes on when there is room")
  func paused() async throws {
    let service = try await TestService(hosts: TestService.threeHosts)
    let id = try await service.activeServer()
    let machine = try await machine(of: id, service)
    try service.driver.pause(machine)
    service.driver.configure { $0.isDiskFull = true }
    let operations = try await service.store.operations(of: id).count
    // Longer than three recoveries would have taken, and all their deadlines.
    for _ in 1...120 {
      await service.monitor.pollOnce()
      try await service.settle()
      #expect(try await service.status(of: id) == .active)
      service.clock.advance(by: .seconds(60))
    }
    #expect(try await service.driver.power(of: machine) == .paused)
    service.driver.configure { $0.isDiskFull = false }
    await service.monitor.pollOnce()
    #expect(try await service.driver.power(of: machine) == .running)
    #expect(try await service.status(of: id) == .active)
    #expect(try await service.store.operations(of: id).count == operations)
  }

  @Test(
    "A server whose machine is paused while it boots waits for room for as long as it takes", arguments: [true, false])
  func pausedBoot(isFirst: Bool) async throws {
    var options = SimulatedDriver.Options()
    options.bootDuration = .seconds(20)
    options.timing = MachineTiming(
      bootDeadline: .seconds(60), shutdownDeadline: .seconds(30), pollInterval: .seconds(5))
    let service = try await TestService(hosts: TestService.threeHosts, options: options)
    let id = try await service.servers.create(service.draft(), service.owner).view.server.id
    if !isFirst {
      try await service.settle()
      _ = try await service.servers.perform(.reboot, on: id, service.owner)
    }
    try await service.run { try await service.store.operations(of: id).last?.step == "awaitReady" }
    let machine = try await machine(of: id, service)
    try service.driver.pause(machine)
    service.driver.configure { $0.isDiskFull = true }
    let pausedAt = service.clock.now
    while service.clock.now < pausedAt + .seconds(900) { _ = try await service.step() }
    #expect(try await service.status(of: id) == (isFirst ? .provisioning : .rebooting))
    service.driver.configure { $0.isDiskFull = false }
    try await service.settle()
    #expect(try await service.status(of: id) == .active)
  }

  @Test("A server that was given up too early is active again when it is seen to be ready, and paid for")
  func returns() async throws {
    var options = SimulatedDriver.Options()
    options.quirks = [.sshNeverAnswers]
    let price = Money(microunits: 5_000)
    let service = try await TestService(hosts: TestService.threeHosts, options: options, openingCredit: price)
    let id = try await service.activeServer()
    await service.monitor.pollOnce()
    #expect(try await service.status(of: id) == .error)
    #expect(try await service.balance(of: service.owner) == price)
    try service.driver.setQuirks([], of: try await machine(of: id, service))
    await service.monitor.pollOnce()
    let server = try #require(try await service.store.server(id))
    #expect(server.status == .active && server.statusReason == nil)
    #expect(!server.machine.awaitsFirstBoot && server.machine.rootPasswordHash == nil)
    #expect(try await service.balance(of: service.owner) == .zero)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("One whose first hour cannot be paid any more stays in error")
  func unpaid() async throws {
    var options = SimulatedDriver.Options()
    options.quirks = [.sshNeverAnswers]
    let service = try await TestService(
      hosts: TestService.threeHosts, options: options, openingCredit: Money(microunits: 5_000))
    let id = try await service.activeServer()
    for driver in service.drivers { driver.configure { $0.quirks = [] } }
    _ = try await service.activeServer()
    try service.driver.setQuirks([], of: try await machine(of: id, service))
    await service.monitor.pollOnce()
    #expect(try await service.status(of: id) == .error)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test(
    "Of many in error that are not ready so few are asked in one look that the others do not wait, and each in its turn"
  )
  func returnsInTurn() async throws {
    var options = SimulatedDriver.Options()
    options.quirks = [.sshNeverAnswers]
    options.timing = MachineTiming(
      bootDeadline: .seconds(60), shutdownDeadline: .seconds(30), pollInterval: .seconds(5))
    let service = try await TestService(options: options)
    for _ in 1...20 { _ = try await service.servers.create(service.draft(), service.owner) }
    try await service.settle()
    var asked: [UUID] = []
    for _ in 1...5 {
      service.driver.forgetCalls()
      await service.monitor.pollOnce()
      let calls = service.driver.calls.filter { $0.method == .readiness }.compactMap(\.machine)
      #expect(calls.count == Reconciler.returnsAtOnce)
      asked += calls
    }
    #expect(Set(asked).count == 20)
    #expect(Dictionary(grouping: asked) { $0 }.values.allSatisfy { $0.count == 2 })
  }

  @Test("A machine without a row is removed, and one with a row never is")
  func reap() async throws {
    let service = try await TestService(hosts: TestService.threeHosts)
    let id = try await service.activeServer()
    let stranger = UUID()
    try await service.driver.ensureDefined(
      MachineSpecification(
        machine: stranger, label: "stranger", hostname: Hostname("stranger")!, vcpus: 1, memoryMiB: 512, storageGiB: 5,
        imageName: "debian-12", imageVersion: SimulatedDriver.imageVersion,
        interface: NetworkInterface(address: IPv4Address("127.80.9.9")!),
        authorizedKey: nil, rootPasswordHash: nil, mayCreateDisk: true))
    await service.monitor.pollOnce()
    #expect(try await service.driver.power(of: stranger) == .absent)
    #expect(try await service.driver.power(of: machine(of: id, service)) == .running)
  }

  @Test("A machine that cannot be looked at does not keep the others from being helped")
  func oneDoesNotAnswer() async throws {
    let service = try await TestService()
    let (silent, crashed) = (try await service.activeServer(), try await service.activeServer())
    for id in [silent, crashed] { try service.driver.crash(try await machine(of: id, service)) }
    let failure = DriverError(.unreachable, "It does not answer.")
    service.driver.inject(Fault(in: .power, of: try await machine(of: silent, service), .fail(failure), times: nil))
    await service.monitor.pollOnce()
    #expect(try await service.status(of: crashed) == .starting)
    #expect(try await service.status(of: silent) == .active)
  }

  @Test("What was seen before a stop does not start the server again")
  func outdatedLook() async throws {
    let service = try await TestService(hosts: TestService.threeHosts)
    let id = try await service.activeServer()
    _ = try await service.servers.perform(.stop, on: id, service.owner)
    try await service.settle()
    let machine = try await machine(of: id, service)
    try await service.driver.start(machine)
    // While the reconciler is about to say that it runs, the customer starts and stops it. This runner does not look at the
    // machines: it would wait for the look that waits for it.
    let runner = service.lonelyRunner()
    let startAndStop: Fault.Hook = {
      for action in [PowerAction.start, .stop] {
        _ = try? await service.servers.perform(action, on: id, service.owner)
        try? await service.settle(with: runner)
      }
    }
    service.driver.inject(Fault(in: .power, of: machine, .after(startAndStop)))
    for _ in 1...2 {
      await service.monitor.pollOnce()
      try await service.settle()
      #expect(try await service.status(of: id) == .stopped)
    }
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("Two looks at once count the traffic once", .timeLimit(.minutes(15)))
  func looksAtOnce() async throws {
    let service = try await TestService(hosts: TestService.threeHosts)
    let id = try await service.activeServer()
    service.clock.advance(by: .seconds(3600))
    let observations = service.driver.calls.count { $0.method == .observe }
    service.driver.inject(Fault(in: .observe, .hangAfterwards))
    let first = Task { await service.monitor.pollOnce() }
    await service.driver.whenHanging()
    service.clock.advance(by: .seconds(60))
    let second = Task { await service.monitor.pollOnce() }
    while !service.monitor.monitors[0].isPollWaiting { await Task.yield() }
    #expect(service.driver.calls.count { $0.method == .observe } == observations + 1)
    service.driver.releaseHangingCalls()
    await first.value
    await second.value
    await service.monitor.pollOnce()
    let machine = try await machine(of: id, service)
    let counters = try #require(try await service.driver.observe().usage[machine]?.network)
    #expect(try await service.store.usage(of: id)?.receivedBytes == counters.receivedBytes)
  }

  @Test(
    "However much happens to machines, looks at all of them leave nine tenths of the time to those who work",
    .timeLimit(.minutes(15)))
  func looksRest() async throws {
    let service = try await TestService()
    service.driver.forgetCalls()
    let (clock, look) = (service.clock, Duration.milliseconds(20))
    service.driver.inject(Fault(in: .observe, .before { clock.advance(by: look) }, times: nil))
    var end = clock.now + look * 10
    let monitor = Task { await service.monitor.run() }
    for number in 1...3 {
      await clock.whenNextDeadline(is: end)
      #expect(service.driver.calls.count { $0.method == .observe } == number)
      service.monitor.pollSoon()
      end = end + look * 10
      clock.advance(to: end - look * 10)
    }
    monitor.cancel()
    await monitor.value
  }

  @Test("A difference is acted upon only where no operation owns the machine", arguments: ServerStatus.allCases)
  func operationOwnsMachine(status: ServerStatus) {
    let item = InventoryItem(
      id: ID(1), uuid: UUID(), status: status, planID: ID(1), hasDisk: true, isDeleted: false, hasOperation: true,
      updatedAt: Timestamp(millisecondsSinceEpoch: 0))
    for power in Self.powers {
      #expect(Reconciliation.action(wanted: item, observed: power) == .none)
    }
  }

  @Test("Only a shutdown that was seen to come from the guest stops an active server", arguments: powers)
  func onlySeenShutdown(power: MachinePower) {
    let item = InventoryItem(
      id: ID(1), uuid: UUID(), status: .active, planID: ID(1), hasDisk: true, isDeleted: false, hasOperation: false,
      updatedAt: Timestamp(millisecondsSinceEpoch: 0))
    let action = Reconciliation.action(wanted: item, observed: power)
    #expect((action == .recordShutdown) == (power == .off(.guestShutdown)))
    // Whoever cannot be seen may be as he should.
    let isLeftAlone = [.running, .off(.unknown), .unreachable, .unknown].contains(power)
    #expect((action == .none) == isLeftAlone)
  }

  private static let powers: [MachinePower] = [
    .running, .paused, .off(.guestShutdown), .off(.other), .off(.unknown), .remnant, .absent, .unreachable, .unknown,
  ]

  private func machine(of id: ID<Server>, _ service: TestService) async throws -> UUID {
    try #require(try await service.store.server(id)?.uuid)
  }
}
