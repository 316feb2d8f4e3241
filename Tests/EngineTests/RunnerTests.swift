import Core
import SimulatedDriver
import Synchronization
import TestSupport
import Testing

@testable import Engine
@testable import SQLStore

@Suite("The runner and its leases")
struct RunnerTests {
  @Test("What a step came to after its lease was lost is not written")
  func fenced() async throws {
    let service = try await TestService()
    let id = try await Self.serverBefore(.define, service)
    service.driver.inject(Fault(in: .ensureDefined, .hangAfterwards))
    let step = Task { try await service.runner.runNextStep() }
    await service.driver.whenHanging()
    try await service.store.releaseAllLeases()
    service.driver.releaseHangingCalls()
    #expect(try await step.value)
    #expect(try await service.store.server(id)?.machine.hasDisk == false)
    #expect(try await service.store.operations(of: id).last?.step == "define")
    try await service.settle()
    #expect(try await service.status(of: id) == .active)
  }

  @Test("An operation whose claim got no answer is carried out all the same, by the same process")
  func lostClaim() async throws {
    let service = try await TestService()
    let database = ForgetfulDatabase(service.database.database)
    let runner = Self.runner(service, database)
    let id = try await service.servers.create(service.draft(), service.owner).view.server.id
    database.loseAnswer(ofWrite: 1)
    await #expect(throws: StoreUnavailable.self) { try await runner.runNextStep() }
    for _ in 1...500 {
      if try await !runner.runNextStep() { service.clock.advance(by: .seconds(1)) }
    }
    #expect(try await service.status(of: id) == .active)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("A step that hangs is ended and tried again, and nobody else runs it meanwhile")
  func hanging() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    try await service.servers.delete(id, service.owner)
    service.driver.inject(Fault(in: .ensureAbsent, .hang))
    let step = Task { try await service.runner.runNextStep() }
    await service.driver.whenHanging()
    await service.clock.whenSleeping()
    service.clock.advance(by: Runner.Limits().longestStep - .milliseconds(1))
    #expect(try await !service.runner.runNextStep(), "Somebody else has claimed it.")
    service.clock.advance(by: .milliseconds(1))
    #expect(try await step.value)
    let operation = try #require(try await service.store.operations(of: id).last)
    #expect(operation.failures == 1)
    #expect(operation.finishedAt == nil)
    try await service.settle()
    #expect(try await service.leftovers() == [])
  }

  @Test(
    "A call that does not even return when it is ended is made again beside it, and comes to nothing",
    .timeLimit(.minutes(15)))
  func stubborn() async throws {
    let service = try await TestService()
    let id = try await Self.serverBefore(.define, service)
    let call = StubbornCall()
    service.driver.inject(Fault(in: .ensureDefined, .before { await call.hang() }))
    let step = Task { try await service.runner.runNextStep() }
    await call.whenHanging()
    for limit in [Runner.Limits().longestStep, Runner.Limits().longestEnd] {
      await service.clock.whenSleeping()
      #expect(try await !service.runner.runNextStep())
      service.clock.advance(by: limit)
    }
    while try await service.store.operations(of: id).last?.failures == 0 { _ = try await service.runner.runNextStep() }
    try await service.settle()
    #expect(try await service.status(of: id) == .active)
    call.end()
    #expect(try await step.value)
    try await service.settle()
    #expect(try await service.status(of: id) == .active)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("Operations that are due at once are claimed at once; none is lost with the answer", .timeLimit(.minutes(15)))
  func lostClaims() async throws {
    let service = try await TestService()
    let database = ForgetfulDatabase(service.database.database)
    let runner = Self.runner(service, database)
    for _ in 1...5 { _ = try await service.servers.create(service.draft(), service.owner) }
    database.loseAnswer(ofWrite: 1)
    let running = Task { await runner.run() }
    await Self.whenAtRest(service)
    #expect(try await service.nextOperationDue() == nil, "They were not claimed together.")
    while try await service.store.allServers().contains(where: { $0.status != .active }) {
      await Self.pass(.seconds(1), service)
    }
    runner.stop()
    await running.value
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("What is claimed while the service ends is left to the next one", .timeLimit(.minutes(15)))
  func claimedAtTheEnd() async throws {
    let service = try await TestService()
    let database = ForgetfulDatabase(service.database.database)
    let runner = Self.runner(service, database)
    for _ in 1...3 { _ = try await service.servers.create(service.draft(), service.owner) }
    service.driver.forgetCalls()
    database.interrupt(beforeWrite: 1) { runner.stop() }
    await runner.run()
    #expect(service.driver.calls.isEmpty, "It began something.")
    try await service.settle()
    #expect(try await service.store.allServers().map(\.status) == [.active, .active, .active])
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("An outcome that cannot be written down keeps nobody else from their turn")
  func refused() async throws {
    let service = try await TestService()
    let first = try await service.servers.create(service.draft(), service.owner).view.server.id
    try await service.refuseOutcomes()
    #expect(try await service.runner.runNextStep())
    _ = try await service.servers.create(service.draft(), service.owner)
    #expect(try await service.runner.runNextStep(), "The other one was not claimed.")
    #expect(try await !service.runner.runNextStep())
    try await service.acceptOutcomes()
    service.clock.advance(by: .seconds(1))
    try await service.settle()
    #expect(try await service.store.allServers().map(\.status) == [.active, .active])
    #expect(try await service.store.operations(of: first).map(\.state) == [.succeeded])
  }

  @Test("Stop waits for the steps under way, and begins no other", .timeLimit(.minutes(15)))
  func stop() async throws {
    let service = try await TestService()
    let id = try await service.servers.create(service.draft(), service.owner).view.server.id
    let events = Mutex<[String]>([])
    service.driver.inject(Fault(in: .ensureDefined, .hang))
    service.driver.inject(Fault(in: .ensureDefined, .after { events.withLock { $0.append("the step ended") } }))
    let running = Task {
      await service.runner.run()
      events.withLock { $0.append("the runner returned") }
    }
    await service.driver.whenHanging()
    // The watch of the step, and the runner that waits for work, and for steps that have waited.
    await service.clock.whenSleeping(3)
    service.runner.stop()
    await service.clock.whenSleeping(atMost: 1)
    service.driver.releaseHangingCalls()
    await running.value
    #expect(events.withLock { $0 } == ["the step ended", "the runner returned"])
    #expect(try await service.store.operations(of: id).last?.step == "start")
    #expect(!service.driver.calls.contains { $0.method == .start })
  }

  @Test(
    "As many steps as may are under way at once, and no more, until nothing is left to do", .timeLimit(.minutes(15)))
  func places() async throws {
    var limits = Runner.Limits()
    limits.stepsAtOnce = 3
    let service = try await TestService(limits: limits)
    for _ in 1...10 { _ = try await service.servers.create(service.draft(), service.owner) }
    let inside = Mutex((now: 0, most: 0))
    service.driver.inject(
      Fault(in: .ensureDefined, .before { inside.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) } }, times: nil)
    )
    service.driver.inject(Fault(in: .ensureDefined, .hang, times: 3))
    service.driver.inject(Fault(in: .ensureDefined, .after { inside.withLock { $0.now -= 1 } }, times: nil))
    let running = Task { await service.runner.run() }
    await service.driver.whenHanging(calls: 3)
    service.driver.releaseHangingCalls()
    while service.driver.calls.count(where: { $0.method == .start }) < 10 { await Task.yield() }
    #expect(inside.withLock { $0.most } == 3)
    service.runner.stop()
    await running.value
  }

  @Test("However long a boot takes, waiting for it writes nothing", .timeLimit(.minutes(15)))
  func silentWait() async throws {
    let service = try await TestService(options: Self.slowBoot())
    let id = try await service.servers.create(service.draft(), service.owner).view.server.id
    let running = Task { await service.runner.run() }
    await Self.wait(service, looks: 2)
    let before = try await service.content()
    await Self.wait(service, looks: 40)
    #expect(try await service.content() == before)
    #expect(try await service.status(of: id) == .provisioning)
    while try await service.status(of: id) != .active { await Self.pass(.seconds(10), service) }
    service.runner.stop()
    await running.value
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("A server that is deleted while it boots is waited for no longer", .timeLimit(.minutes(15)))
  func deletedWhileItBoots() async throws {
    let service = try await TestService(options: Self.slowBoot())
    let id = try await service.servers.create(service.draft(), service.owner).view.server.id
    let running = Task { await service.runner.run() }
    await Self.wait(service, looks: 2)
    try await service.servers.delete(id, service.owner)
    let looks = Self.looks(service)
    while try await service.store.server(id) != nil { await Self.pass(service.driver.timing.pollInterval, service) }
    // One may have been under way.
    #expect(Self.looks(service) <= looks + 1)
    service.runner.stop()
    await running.value
    #expect(try await service.store.operations(of: id).map(\.state) == [.cancelled, .succeeded])
    #expect(try await service.leftovers() == [])
  }

  @Test("What waits when the runner is stopped goes on with the next one", .timeLimit(.minutes(15)))
  func givenBack() async throws {
    let service = try await TestService(options: Self.slowBoot())
    let id = try await service.servers.create(service.draft(), service.owner).view.server.id
    let running = Task { await service.runner.run() }
    await Self.wait(service, looks: 2)
    #expect(try await service.nextOperationDue() == nil, "Somebody else could take it.")
    service.runner.stop()
    await running.value
    let machine = try #require(await service.store.server(id)).uuid
    let boot = try #require(service.driver.machine(machine)?.boot)
    let successor = service.lonelyRunner()
    try await service.settle(steps: 20_000, with: successor)
    #expect(try await service.status(of: id) == .active)
    #expect(service.driver.machine(machine)?.boot == boot, "The step before was run again, and started it again.")
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("A boot is waited for also where the store does not answer in the meantime", .timeLimit(.minutes(15)))
  func outageInWait() async throws {
    let service = try await TestService(options: Self.slowBoot())
    let database = ForgetfulDatabase(service.database.database)
    let runner = Self.runner(service, database)
    let id = try await service.servers.create(service.draft(), service.owner).view.server.id
    let running = Task { await runner.run() }
    await Self.wait(service, looks: 1)
    // The outage begins in the middle of a look, whose step has asked the store all that it needs.
    service.driver.inject(Fault(in: .readiness, .hang))
    await Self.pass(service.driver.timing.pollInterval, service)
    await service.driver.whenHanging()
    await service.clock.whenSleeping(3)
    database.answerQuestions(false)
    service.driver.releaseHangingCalls()
    await Self.whenAtRest(service)
    let looks = service.driver.calls.count
    for _ in 1...40 { await Self.pass(.seconds(1), service) }
    #expect(service.driver.calls.count == looks, "Nobody has said that it may go on.")
    database.answerQuestions(true)
    while try await service.status(of: id) != .active { await Self.pass(.seconds(10), service) }
    runner.stop()
    await running.value
    #expect(try await service.store.operations(of: id).map(\.failures) == [0])
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("An operation whose server cannot be read is tried again, and tells why", .enabled(if: TestDatabase.isSQLite))
  func damagedRow() async throws {
    let service = try await TestService()
    let id = try await service.servers.create(service.draft(), service.owner).view.server.id
    try await service.database.write { connection in
      try connection.runScript(
        """
        PRAGMA ignore_check_constraints = ON;
        UPDATE server SET hostname = '';
        PRAGMA ignore_check_constraints = OFF;
        """)
    }
    #expect(try await service.runner.runNextStep())
    let operation = try #require(try await service.store.operations(of: id).first)
    #expect(operation.failures == 1)
    #expect(operation.operatorDetail != nil)
  }

  @Test("With one place, boots that are waited for and new servers take turns", .timeLimit(.minutes(15)))
  func onePlace() async throws {
    var limits = Runner.Limits()
    limits.stepsAtOnce = 1
    // So long that none is over before all are begun, however much time passes until then.
    let service = try await TestService(options: Self.slowBoot(.seconds(1_000_000)), limits: limits)
    for _ in 1...4 { _ = try await service.servers.create(service.draft(), service.owner) }
    let running = Task { await service.runner.run() }
    await Self.wait(service, looks: 12)
    for _ in 1...4 { _ = try await service.servers.create(service.draft(), service.owner) }
    while service.driver.calls.count(where: { $0.method == .start }) < 8 {
      await Self.pass(service.driver.timing.pollInterval, service)
    }
    #expect(try await service.store.allServers().allSatisfy { $0.status == .provisioning }, "Nothing has booted yet.")
    while try await service.store.allServers().contains(where: { $0.status != .active }) {
      await Self.pass(.seconds(10_000), service)
    }
    service.runner.stop()
    await running.value
    #expect(try await service.contradictionsAtRest() == [])
  }

  private static func runner(_ service: TestService, _ database: ForgetfulDatabase) -> Runner {
    Runner(
      on: service.fleet.hosts[0], of: service.fleet, store: SQLStore(database: database, tariff: Tariff()),
      catalogueReader: service.catalogue, addressPools: AddressPools(service.pools), changes: service.changes,
      clock: service.clock, logger: .quiet, key: TestService.key, becameActive: {})
  }

  private static func slowBoot(_ duration: Duration = .seconds(1000)) -> SimulatedDriver.Options {
    var options = SimulatedDriver.Options()
    // Time may pass while the runner is at work, so that there are fewer looks than would fit in.
    options.bootDuration = duration
    options.timing = MachineTiming(
      bootDeadline: duration * 2, shutdownDeadline: .seconds(30), pollInterval: .milliseconds(250))
    return options
  }

  /// Lets time pass until the driver was asked so often whether a guest is ready.
  private static func wait(_ service: TestService, looks: Int) async {
    while self.looks(service) < looks { await pass(service.driver.timing.pollInterval, service) }
    await whenAtRest(service)
  }

  private static func looks(_ service: TestService) -> Int {
    service.driver.calls.count { $0.method == .readiness }
  }

  private static func pass(_ duration: Duration, _ service: TestService) async {
    await whenAtRest(service)
    service.clock.advance(by: duration)
  }

  /// Returns when the runner waits for work, and for the end of waits, and nobody watches over a step, which would be ended by
  /// too much time.
  private static func whenAtRest(_ service: TestService) async {
    await service.clock.whenSleeping(exactly: 2, forAtMost: Runner.Limits().idle)
  }

  @Test("Whoever has waited longest is next")
  func fairness() async throws {
    let service = try await TestService()
    var servers: [ID<Server>] = []
    for _ in 1...5 {
      servers.append(try await service.servers.create(service.draft(), service.owner).view.server.id)
      service.clock.advance(by: .milliseconds(1))
    }
    for expected in ["claimAddress", "define", "start"] {
      for id in servers {
        #expect(try await service.runner.runNextStep())
        #expect(try await service.store.operations(of: id).last?.step == expected)
        service.clock.advance(by: .milliseconds(1))
      }
    }
  }

  private static func serverBefore(_ step: CreateServer.Step, _ service: TestService) async throws -> ID<Server> {
    let id = try await service.servers.create(service.draft(), service.owner).view.server.id
    while try await service.store.operations(of: id).last?.step != step.rawValue {
      #expect(try await service.runner.runNextStep())
    }
    return id
  }
}

/// A call that does not listen when it is told to end.
private final class StubbornCall: Sendable {
  private struct State {
    var hanging: CheckedContinuation<Void, Never>?
    var onlooker: CheckedContinuation<Void, Never>?
  }

  private let state = Mutex(State())

  func hang() async {
    await withCheckedContinuation { continuation in
      let onlooker = state.withLock { state in
        state.hanging = continuation
        return state.onlooker
      }
      onlooker?.resume()
    }
  }

  func whenHanging() async {
    await withCheckedContinuation { continuation in
      let isHanging = state.withLock { state in
        if state.hanging == nil { state.onlooker = continuation }
        return state.hanging != nil
      }
      if isHanging { continuation.resume() }
    }
  }

  func end() {
    state.withLock { $0.hanging }?.resume()
  }
}
