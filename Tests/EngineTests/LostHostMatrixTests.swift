import Core
import Foundation
import SimulatedDriver
import TestSupport
import Testing

@testable import Engine

@Suite("A host is lost at any moment, and the service dies at any other: every server comes up once, on one disk")
struct LostHostMatrixTests {
  @Test("In the middle of each step of each workflow", .serialized, arguments: WorkflowStep.all)
  func inEachStep(step: WorkflowStep) async throws {
    for method in try await Rehearsal.of(step).methods {
      for effect in [Fault.Effect.hang, .hangAfterwards] {
        let world = try await FaultWorld.made(step, sharesStorage: true)
        let service = world.service
        let context = Comment(rawValue: "\(step.testDescription), lost in \(method): \(effect)")
        world.driver.inject(Fault(in: method, effect))
        let last = Task { try await service.runner.runNextStep() }
        await world.driver.whenHanging()
        try await service.lose()
        await service.waitForFence()
        #expect(try await service.contradictions() == [], context)
        try await service.settleEverywhere()
        #expect(try world.driver.sharedDisk(world.machine)?.refusalCount ?? 0 == 0, context)
        // What was begun before goes on when it may, and changes nothing any more.
        world.driver.releaseHangingCalls()
        _ = try? await last.value
        try await service.settleEverywhere()
        #expect(try world.driver.sharedDisk(world.machine)?.refusalCount ?? 0 == 0, context)
        try await service.bringBack()
        try await service.settleEverywhere()
        await service.schedule.pollOnce()
        try await service.settleEverywhere()
        // Those that are off have not been defined there.
        await service.applyFirewalls()
        let found = try await service.contradictionsAtRest()
        #expect(found == [], context)
        #expect(service.drivers.count { $0.machine(world.machine) != nil } <= 1, context)
        let status = try await service.status(of: world.id)
        #expect(
          status == step.wantedStatus || status == .error && step.kind == .create
            || step.isAfterFailure || step.kind == .leaveRescue && status == .stopped, context)
        if status != nil { try await service.servers.delete(world.id, service.owner) }
        try await service.settleEverywhere()
        let left = try await service.leftovers()
        #expect(left == [], context)
      }
    }
  }

  /// When the service dies, on the way of a server from the lost host to the other one.
  enum Death: CaseIterable {
    case beforeTheFence, inTheFence, afterTheFence, beforeTheArrival, inTheArrival, afterTheArrival, inTheStart
  }

  @Test("A service that dies on the way goes on there", arguments: Death.allCases)
  func serviceDies(death: Death) async throws {
    let (dead, ids) = try await TestService.withSharedStorage(servers: 2)
    let machine = try #require(try await dead.store.server(ids[0])).uuid
    try await dead.lose()
    var last: Task<Void, Never>?
    switch death {
    case .beforeTheFence: break
    case .inTheFence:
      dead.fence.behave(.worksAfter { await ManualClock().whenSleeping() })
      dead.clock.advance(by: .seconds(60))
      last = Task { await dead.keepFences() }
      while dead.fence.calls.isEmpty { await Task.yield() }
    case .afterTheFence:
      dead.drivers[1].configure { $0.capacity = HostCapacity(vcpus: 1, memoryMiB: 512, storageGiB: 5) }
      await dead.monitor.pollOnce()
      await dead.waitForFence()
    case .beforeTheArrival: await dead.waitForFence()
    case .inTheArrival:
      await dead.waitForFence()
      dead.drivers[1].inject(Fault(in: .ensureInherited, .hangAfterwards))
      last = Task { await dead.monitor.pollOnce() }
      await dead.drivers[1].whenHanging()
    case .afterTheArrival:
      await dead.waitForFence()
      await dead.monitor.pollOnce()
    case .inTheStart:
      await dead.waitForFence()
      await dead.monitor.pollOnce()
      for _ in 1...3 { try await dead.step() }
    }
    let service = try await TestService(after: dead)
    last?.cancel()
    dead.drivers[1].releaseHangingCalls()
    await last?.value
    service.fence.behave(.works)
    service.drivers[1].configure { $0.capacity = nil }
    for _ in 1...3 {
      await service.keepFences()
      service.clock.advance(by: .seconds(60))
      try await service.settleEverywhere()
    }
    #expect(try await service.places(ids) == ["us-west/2", "us-west/2"])
    for id in ids { #expect(try await service.status(of: id) == .active) }
    #expect(service.openings(of: machine) == 1)
    #expect(try service.driver.sharedDisk(machine)?.refusalCount == 0)
    let operations = try await service.store.operations(of: ids[0])
    #expect(operations.count { $0.kind == .move } == 1 && operations.count { $0.kind == .recover } == 1)
    #expect(service.fence.calls.count == (death == .inTheFence ? 2 : 1))
    try await service.bringBack()
    try await service.settleEverywhere()
    #expect(try await service.contradictionsAtRest() == [])
    for id in ids { try await service.servers.delete(id, service.owner) }
    try await service.settleEverywhere()
    #expect(try await service.leftovers() == [])
  }
}
