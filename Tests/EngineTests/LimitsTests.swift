import Core
import SimulatedDriver
import TestSupport
import Testing

@testable import Engine

@Suite("A server is held to what its plan says of processors and disk")
struct LimitsTests {
  private func limits(of server: Server, _ service: TestService) -> SimulatedMachine.Limits? {
    service.driver.machine(server.uuid)?.boot?.definition.limits
  }

  private func change(_ service: TestService, _ body: (inout PlanChange) -> Void) async throws {
    var change = PlanChange()
    body(&change)
    _ = try await service.store.updatePlan(ID(3), change, at: service.clock.now)
    // A catalogue may be a second old.
    service.clock.advance(by: .seconds(2))
  }

  private func server(_ id: ID<Server>, _ service: TestService) async throws -> Server {
    try await service.servers.read(id, service.owner).0.server
  }

  @Test("What goes with its processors, where the plan says nothing")
  func standard() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let server = try await server(id, service)
    let vcpus = try #require(try await service.store.catalogue().plan(server.planID)).vcpus
    #expect(limits(of: server, service) == .init(ResourceLimits(cpuWeight: 100 * vcpus)))
    #expect(ResourceLimits.standard(vcpus: 1024).cpuWeight == 10_000)
  }

  @Test("A plan that is changed holds at once for the servers that run, and for those that start later")
  func changed() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let server = try await server(id, service)
    try await change(service) { change in
      (change.cpuWeight, change.diskIOPS, change.diskMiBPerSecond) = (50, 300, 20)
    }
    await service.monitor.pollOnce()
    let wanted = SimulatedMachine.Limits(ResourceLimits(cpuWeight: 50, diskIOPS: 300, diskMiBPerSecond: 20))
    #expect(limits(of: server, service) == wanted)
    let calls = service.driver.calls.count { $0.method == .applyLimits }
    await service.monitor.pollOnce()
    #expect(service.driver.calls.count { $0.method == .applyLimits } == calls)
    _ = try await service.servers.perform(.reboot, on: id, service.owner)
    try await service.settle()
    #expect(limits(of: server, service) == wanted)
    try await change(service) { $0.diskIOPS = 0 }
    await service.monitor.pollOnce()
    #expect(
      limits(of: server, service) == .init(ResourceLimits(cpuWeight: 50, diskIOPS: nil, diskMiBPerSecond: 20)))
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("A host that does not take it is asked again, and a process that starts asks for all")
  func again() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let server = try await server(id, service)
    service.driver.inject(Fault(in: .applyLimits, .fail(DriverError(.unreachable, "It does not answer.")), times: 1))
    try await change(service) { $0.cpuWeight = 7 }
    await service.monitor.pollOnce()
    #expect(limits(of: server, service) != .init(ResourceLimits(cpuWeight: 7)))
    service.clock.advance(by: .seconds(60))
    await service.monitor.pollOnce()
    #expect(limits(of: server, service) == .init(ResourceLimits(cpuWeight: 7)))
    let next = try await TestService(after: service)
    try await change(next) { $0.cpuWeight = 9 }
    await next.monitor.pollOnce()
    #expect(limits(of: server, next) == .init(ResourceLimits(cpuWeight: 9)))
  }
}
