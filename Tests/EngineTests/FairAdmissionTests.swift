import Core
import Engine
import Foundation
import SimulatedDriver
import TestSupport
import Testing

@Suite("Machines boot as many at once as the host can carry")
struct FairAdmissionTests {
  @Test("The others wait for their turn for as long as it takes, and accounts take turns")
  func turns() async throws {
    let service = try await TestService(options: Self.options(atOnce: 2))
    let (greedy, modest) = (service.owner, try await service.newCaller().caller)
    var machines: [UUID] = []
    for caller in [greedy, greedy, greedy, greedy, greedy, greedy, modest, modest] {
      machines.append(try await service.servers.create(service.draft(), caller).view.server.uuid)
    }
    while try await service.store.allServers().contains(where: { $0.status == .provisioning }) {
      if try await !service.runner.runNextStep() { service.clock.advance(by: .seconds(1)) }
      let booting = Set(
        try await service.store.allServers().filter { $0.status == .provisioning }.map(\.uuid))
      let running = try await service.driver.observe().powers.filter { $0.value == .running }.keys
      #expect(booting.intersection(running).count <= 2)
    }
    #expect(try await service.store.allServers().allSatisfy { $0.status == .active })
    let starts = service.driver.calls.filter { $0.method == .start }.compactMap(\.machine)
    // Two boots end at the same moment, and make room for one of each account.
    #expect(starts.compactMap { machines.firstIndex(of: $0) } == [0, 1, 2, 6, 3, 7, 4, 5])
  }

  @Test("Who waits is asked once, and again when the turn has come")
  func waitersSleep() async throws {
    let service = try await TestService(options: Self.options(atOnce: 1))
    for _ in 1...20 { _ = try await service.servers.create(service.draft(), service.owner) }
    var steps = 0
    for _ in 1...5_000 {
      if try await service.runner.runNextStep() { steps += 1 } else if try await !service.step() { break }
    }
    #expect(try await service.store.allServers().allSatisfy { $0.status == .active })
    // Three steps before the boot, two looks at whether it is its turn, and the boot, which is looked at each second.
    #expect(steps <= 20 * (3 + 2 + 27))
  }

  @Test("One that is deleted while it waits or boots makes room for the next")
  func deleted() async throws {
    let service = try await TestService(options: Self.options(atOnce: 1))
    var servers: [ID<Server>] = []
    for _ in 1...4 { servers.append(try await service.servers.create(service.draft(), service.owner).view.server.id) }
    while try await service.runner.runNextStep() {}
    for id in servers.prefix(2) { try await service.servers.delete(id, service.owner) }
    try await service.settle()
    #expect(try await service.store.allServers().map(\.status) == [.active, .active])
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("One that fails makes room, and so does a reboot that is over")
  func failed() async throws {
    let service = try await TestService(options: Self.options(atOnce: 1))
    let refusal = DriverError(.rejected, "It cannot be started.")
    service.driver.inject(Fault(in: .start, .fail(refusal)))
    let ids = [try await service.activeServer(), try await service.activeServer()]
    #expect(try await service.status(of: ids[0]) == .error)
    _ = try await service.servers.perform(.reboot, on: ids[1], service.owner)
    _ = try await service.servers.perform(.start, on: ids[0], service.owner)
    try await service.settle()
    #expect(try await service.store.allServers().map(\.status) == [.active, .active])
  }

  @Test("After a restart of the service, what boots already counts")
  func restart() async throws {
    let dead = try await TestService(options: Self.options(atOnce: 1))
    for _ in 1...3 { _ = try await dead.servers.create(dead.draft(), dead.owner) }
    while try await dead.runner.runNextStep() {}
    let service = try await TestService(after: dead)
    while try await service.runner.runNextStep() {}
    #expect(try await service.driver.observe().powers.values.filter { $0 == .running }.count == 1)
    try await service.settle()
    #expect(try await service.store.allServers().map(\.status) == [.active, .active, .active])
  }

  /// Those who wait longest do so for longer than any step may take.
  private static func options(atOnce limit: Int) -> SimulatedDriver.Options {
    var options = SimulatedDriver.Options()
    options.timing = MachineTiming(
      bootDeadline: .seconds(60), shutdownDeadline: .seconds(30), pollInterval: .seconds(1), bootsAtOnce: limit)
    options.bootDuration = .seconds(25)
    return options
  }
}
