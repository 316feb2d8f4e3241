import Core
import Foundation
import SimulatedDriver
import TestSupport
import Testing

@testable import Engine

/// Every step of every workflow, broken at every call that it makes. The steps come from the workflows themselves, and the
/// calls are those that the step was seen to make. Of each test one step after the other: a world for each of hundreds of cases at
/// once takes more than a gigabyte.
@Suite("Nothing is lost, doubled or stuck, whatever step fails and however")
struct FaultMatrixTests {
  static let passing = DriverError(.unreachable, "The host does not answer.")
  static let lasting = DriverError(.rejected, "The host will not do this.", customerReason: "The host refused.")

  @Test(
    "A step runs twice: its lease was lost, and the first one comes back late", .serialized, arguments: WorkflowStep.all
  )
  func runsTwice(step: WorkflowStep) async throws {
    try await eachCall(of: step) { world, call in
      let (service, driver) = (world.service, world.driver)
      driver.inject(Fault(in: call, .hangAfterwards))
      let first = Task { try await service.runner.runNextStep() }
      await driver.whenHanging()
      try await service.store.releaseAllLeases()
      #expect(try await service.runner.runNextStep())
      driver.releaseHangingCalls()
      #expect(try await first.value)
      try await world.settle()
      try await world.expectRest(mayFail: false, "\(call) runs twice")
    }
  }

  @Test("The process dies around a call, for a moment or for an hour", .serialized, arguments: WorkflowStep.all)
  func processDies(step: WorkflowStep) async throws {
    for (effect, downtime) in [
      (Fault.Effect.hang, Duration.zero), (.hangAfterwards, .zero), (.hangAfterwards, .seconds(3600)),
    ] {
      try await eachCall(of: step) { world, call in
        let (dead, driver) = (world.service, world.driver)
        driver.inject(Fault(in: call, effect))
        let last = Task { try await dead.runner.runNextStep() }
        await driver.whenHanging()
        dead.clock.advance(by: downtime)
        let next = try await world.afterDeath()
        try await next.settle()
        try await next.expectRest(mayFail: false, "dead in \(call) for \(downtime): \(effect)")
        // Even a process that was not quite dead changes nothing any more.
        last.cancel()
        _ = try await last.value
        #expect(try await next.service.leftovers() == [])
      }
    }
  }

  @Test("A call fails once", .serialized, arguments: WorkflowStep.all)
  func failsOnce(step: WorkflowStep) async throws {
    try await eachCall(of: step) { world, call in
      world.driver.inject(Fault(in: call, .fail(Self.passing)))
      try await world.settle()
      try await world.expectRest(mayFail: false, "\(call) fails once")
    }
  }

  @Test("A call does its work and reports a failure", .serialized, arguments: WorkflowStep.all)
  func failsAfterwards(step: WorkflowStep) async throws {
    try await eachCall(of: step) { world, call in
      world.driver.inject(Fault(in: call, .failAfterwards(Self.passing)))
      try await world.settle()
      try await world.expectRest(mayFail: false, "\(call) fails after its work")
    }
  }

  @Test(
    "A call fails for good, until the host is repaired", .serialized, arguments: WorkflowStep.all, [passing, lasting])
  func failsForGood(step: WorkflowStep, error: DriverError) async throws {
    try await eachCall(of: step) { world, call in
      let (service, driver) = (world.service, world.driver)
      driver.inject(Fault(in: call, .fail(error), times: nil))
      if step.kind == .delete {
        await #expect(throws: TestService.NeverSettled.self) { try await service.settle(steps: 40) }
        #expect(try await service.contradictions() == [])
      } else {
        try await world.settle()
      }
      driver.faults = Faults()
      try await world.settle()
      try await world.expectRest(mayFail: true, "\(call) fails for good")
    }
  }

  @Test("A call hangs past every deadline", .serialized, arguments: WorkflowStep.all)
  func hangs(step: WorkflowStep) async throws {
    for effect in [Fault.Effect.hang, .hangAfterwards] {
      try await eachCall(of: step) { world, call in
        let service = world.service
        world.driver.inject(Fault(in: call, effect))
        let running = Task { try await service.runner.runNextStep() }
        await world.driver.whenHanging()
        await service.clock.whenSleeping()
        service.clock.advance(by: Runner.Limits().longestStep + .seconds(1))
        #expect(try await running.value)
        try await world.settle()
        try await world.expectRest(mayFail: true, "\(call) hangs: \(effect)")
      }
    }
  }

  @Test(
    "The store refuses what a step came to: once, for minutes, or until the process has died", .serialized,
    arguments: WorkflowStep.all)
  func storeFails(step: WorkflowStep) async throws {
    for outage in StoreOutage.allCases {
      var world = try await FaultWorld.before(step)
      let service = world.service
      try await service.refuseOutcomes()
      #expect(try await service.runner.runNextStep())
      for _ in 1...(outage == .minutes ? 5 : 1) {
        if outage == .minutes { service.clock.advance(by: .seconds(120)) }
        if outage != .once { #expect(try await !service.runner.runNextStep(), "\(step.testDescription), \(outage)") }
        #expect(try await service.contradictions() == [])
      }
      try await service.acceptOutcomes()
      if outage == .untilProcessDies { world = try await world.afterDeath() }
      world.service.clock.advance(by: .seconds(1))
      try await world.settle()
      try await world.expectRest(mayFail: false, "the store failed: \(outage)")
    }
  }

  @Test(
    "A delete arrives in the middle of a call, and goes next only when that is over", .serialized,
    arguments: WorkflowStep.all)
  func deleteArrives(step: WorkflowStep) async throws {
    guard step.kind != .delete else { return }
    for effect in [Fault.Effect.hang, .hangAfterwards] {
      try await eachCall(of: step) { world, call in
        let (service, driver) = (world.service, world.driver)
        driver.inject(Fault(in: call, effect))
        let running = Task { try await service.runner.runNextStep() }
        await driver.whenHanging()
        try await service.servers.delete(world.id, service.owner)
        #expect(try await !service.runner.runNextStep(), "A delete overtook a step that is inside the driver.")
        #expect(try await service.contradictions() == [])
        driver.releaseHangingCalls()
        #expect(try await running.value)
        try await world.settle()
        #expect(driver.calls.last { $0.machine == world.machine }?.method == .ensureAbsent)
        try await world.expectRest(mayFail: false, isDeleted: true, "deleted in \(call): \(effect)")
      }
    }
  }

  @Test("A delete arrives before a step, which is then never run", .serialized, arguments: WorkflowStep.all)
  func deleteArrivesBefore(step: WorkflowStep) async throws {
    guard step.kind != .delete else { return }
    let world = try await FaultWorld.before(step)
    try await world.service.servers.delete(world.id, world.service.owner)
    try await world.settle()
    // A machine that runs is held to its plan by whoever looks at it, which is no step.
    let calls = world.driver.calls.filter { $0.machine == world.machine && $0.method != .applyLimits }
    #expect(calls.map(\.method) == [.ensureAbsent])
    try await world.expectRest(mayFail: false, isDeleted: true, "deleted before")
  }

  /// Runs the body once for each driver method that the step calls, in a world of its own.
  private func eachCall(
    of step: WorkflowStep, _ body: (FaultWorld, DriverMethod) async throws -> Void
  ) async throws {
    for method in try await Rehearsal.of(step).methods {
      try await body(try await FaultWorld.before(step), method)
    }
  }
}
