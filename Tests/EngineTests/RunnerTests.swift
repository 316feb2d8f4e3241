import Core
import SimulatedDriver
import Synchronization
import TestSupport
import Testing

@testable import Engine

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

  @Test("A step keeps its lease for as long as it runs, and one that hangs is ended and tried again")
  func hanging() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    try await service.servers.delete(id, service.owner)
    service.driver.inject(Fault(in: .ensureAbsent, .hang))
    let step = Task { try await service.runner.runNextStep() }
    await service.driver.whenHanging()
    let limits = Runner.Limits()
    let end = service.clock.now + limits.longestStep
    while service.clock.now < end {
      await service.clock.whenSleeping()
      #expect(try await !service.runner.runNextStep(), "Somebody else has claimed it.")
      service.clock.advance(by: limits.lease / 3)
    }
    #expect(try await step.value)
    let operation = try #require(try await service.store.operations(of: id).last)
    #expect(operation.failures == 1)
    #expect(operation.finishedAt == nil)
    try await service.settle()
    #expect(try await service.leftovers() == [])
  }

  @Test("A lease that nobody keeps expires, and the step is run by someone else")
  func abandoned() async throws {
    let service = try await TestService()
    let id = try await service.servers.create(service.draft(), service.owner).view.server.id
    let now = service.clock.now
    #expect(try await service.store.claimOperation(at: now, leaseUntil: now + .seconds(60)) != nil)
    service.clock.advance(by: .seconds(59))
    #expect(try await !service.runner.runNextStep())
    service.clock.advance(by: .seconds(1))
    #expect(try await service.runner.runNextStep())
    try await service.settle()
    #expect(try await service.status(of: id) == .active)
  }

  @Test("Stop waits for the steps under way, and begins no other")
  func stop() async throws {
    let service = try await TestService()
    let id = try await service.servers.create(service.draft(), service.owner).view.server.id
    service.driver.inject(Fault(in: .ensureDefined, .hang))
    let hasReturned = Mutex(false)
    let running = Task {
      await service.runner.run()
      hasReturned.withLock { $0 = true }
    }
    await service.driver.whenHanging()
    service.runner.stop()
    for _ in 1...50 { _ = try await service.store.isBootstrapped() }
    #expect(hasReturned.withLock { !$0 })
    service.driver.releaseHangingCalls()
    await running.value
    #expect(try await service.store.operations(of: id).last?.step == "start")
    #expect(!service.driver.calls.contains { $0.method == .start })
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
