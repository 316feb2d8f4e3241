import Core
import Foundation
import SimulatedDriver
import TestSupport
import Testing

@testable import Engine

@Suite("A deadline runs from the moment at which a step is first tried, and is no reason not to look once more")
struct TurnTests {
  @Test("Waiting for a turn counts against no step, however long the queue is", arguments: WorkflowStep.all)
  func queue(step: WorkflowStep) async throws {
    let world = try await FaultWorld.before(step)
    let service = world.service
    repeat {
      service.clock.advance(by: .seconds(600))
    } while try await service.runner.runNextStep()
    try await world.settle()
    try await world.expectRest(mayFail: false, "each turn comes ten minutes late")
    #expect(
      step.kind == .hardStop || step.name == "powerOff" || !service.driver.calls.contains { $0.method == .powerOff })
  }

  @Test("A host that was away for as long as a stop may take to ask is asked, and takes no power away")
  func lateStop() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    _ = try await service.servers.perform(.stop, on: id, service.owner)
    service.driver.inject(
      Fault(in: .requestShutdown, .fail(DriverError(.unreachable, "The host is away.")), times: nil))
    let began = service.clock.uptime
    while service.clock.uptime - began < .seconds(60) { try await service.step() }
    service.driver.faults = Faults()
    try await service.settle()
    #expect(try await service.status(of: id) == .stopped)
    #expect(!service.driver.calls.contains { $0.method == .powerOff })
  }

  @Test("A guest that becomes ready while nobody looks is active, even where its deadline is over by then")
  func lateLook() async throws {
    let service = try await TestService()
    let id = try await service.servers.create(service.draft(), service.owner).view.server.id
    while try await service.store.operations(of: id).last?.step != "awaitReady" { try await service.step() }
    service.driver.inject(
      Fault(in: .readiness, .fail(DriverError(.unreachable, "The host is away.")), times: nil))
    let began = service.clock.uptime
    while service.clock.uptime - began < service.driver.timing.bootDeadline { try await service.step() }
    service.driver.faults = Faults()
    try await service.settle()
    #expect(try await service.status(of: id) == .active)
    #expect(try await service.store.operations(of: id).map(\.kind) == [.create])
  }

  @Test("A server whose resize or restore fails comes up again before anything that waits for it has its turn")
  func comesUpFirst() async throws {
    var options = SimulatedDriver.Options()
    options.copyDuration = .seconds(600)
    options.timing = MachineTiming(
      bootDeadline: .seconds(60), shutdownDeadline: .seconds(30), pollInterval: .seconds(5))
    let service = try await TestService(options: options)
    let id = try await service.activeServer()
    let backup = try await service.backup(of: id)
    let copy = try await service.backups.read(backup, service.owner)
    for request in ["resize", "restore"] {
      let others = [try await service.activeServer(), try await service.activeServer()]
      for other in others { _ = try await service.backups.create(.init(server: .id(other)), service.owner) }
      let refusal = DriverError(.rejected, "no", customerReason: "The host will not.")
      if request == "resize" {
        try await service.resize(id)
        service.driver.inject(Fault(in: .ensureDefined, .fail(refusal)))
      } else {
        _ = try await service.backups.restore(copy.id, service.owner)
        service.driver.inject(Fault(in: .ensureRestored, .fail(refusal)))
      }
      let waiting = try await service.backups.create(.init(server: .id(id)), service.owner)
      #expect(try await service.status(of: id) == .rebooting)
      let began = service.clock.uptime
      try await service.run { try await service.status(of: id) != .rebooting }
      #expect(try await service.status(of: id) == .active)
      #expect(service.clock.uptime - began < .seconds(60))
      #expect(try await service.backups.read(waiting.id, service.owner).status == .pending)
      try await service.settle()
      let failed = try #require(try await service.store.operations(of: id).last { $0.kind.rawValue == request })
      #expect(failed.state == .failed && failed.customerReason == "The host will not.")
      #expect(try await service.backups.read(waiting.id, service.owner).status == .completed)
      #expect(try await service.contradictionsAtRest() == [])
    }
  }
}
