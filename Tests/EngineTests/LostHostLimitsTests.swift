import Core
import Foundation
import SimulatedDriver
import TestSupport
import Testing

@testable import Engine

@Suite("Where storage is shared, a host that is away is switched off where that helps, and works as before once back")
struct LostHostLimitsTests {
  private func host(_ service: TestService, _ number: Int = 0) async throws -> Core.Host {
    try await service.store.hosts()[number].host
  }

  /// Why no other host takes anything.
  enum Hindrance: CaseIterable {
    case isDraining, isAway, isFull
  }

  @Test(
    "One whose servers nobody can take is left on, and says why; it is switched off once somebody can",
    arguments: Hindrance.allCases)
  func nobodyTakesAnything(hindrance: Hindrance) async throws {
    let three = (1...3).map { HostDeclaration(name: "us-west/\($0)", location: "us-west", driver: "simulated") }
    let hosts = hindrance == .isAway ? three : Array(three.prefix(2))
    let (service, ids) = try await TestService.withSharedStorage(servers: 2, hosts: hosts)
    let machine = try #require(try await service.store.server(ids[0])).uuid
    switch hindrance {
    case .isDraining:
      // It was switched off, came back, and nobody has said that it may have servers again.
      try await service.lose(host: 1)
      try await service.bringBack(host: 1)
      _ = try await service.store.setDraining(true, host: "us-west/2", at: service.clock.now)
    case .isAway:
      _ = try await service.store.setDraining(true, host: "us-west/3", at: service.clock.now)
      try await service.store.recordAway(service.fleet.hosts[1].id, since: service.clock.now)
    case .isFull:
      service.drivers[1].configure { $0.capacity = HostCapacity(vcpus: 0, memoryMiB: 128, storageGiB: 1) }
      await service.monitor.pollOnce()
    }
    try await service.servers.delete(ids[1], service.owner)
    try await service.lose()
    await service.waitForFence()
    #expect(service.fence.calls == [])
    #expect(service.driver.isOn(machine))
    #expect(try await host(service).state == .away)
    #expect(try await host(service).fenceFailure == FenceKeeper.withoutHeir)
    #expect(try await service.places([ids[0]]) == ["us-west/1"])
    #expect(try await service.servers.read(ids[0], service.owner).0.statusReason == Fleet.awayReason)

    switch hindrance {
    case .isDraining: _ = try await service.store.setDraining(false, host: "us-west/2", at: service.clock.now)
    case .isAway: try await service.store.recordAnswer(of: service.fleet.hosts[1].id, capacity: nil)
    case .isFull:
      service.drivers[1].configure { $0.capacity = nil }
      await service.monitor.monitors[1].pollOnce()
    }
    await service.keepFences()
    #expect(service.fence.calls == ["us-west/1"])
    #expect(try await host(service).fenceFailure == nil)
    try await service.settleEverywhere()
    #expect(try await service.places([ids[0]]) == ["us-west/2"])
    #expect(try await service.status(of: ids[0]) == .active && service.openings(of: machine) == 1)
    try await service.bringBack()
    try await service.settleEverywhere()
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("What was said of a host that was left on is over when it answers")
  func answers() async throws {
    let (service, ids) = try await TestService.withTwoHosts()
    _ = try await service.store.setDraining(true, host: "us-west/2", at: service.clock.now)
    try await service.lose()
    await service.waitForFence()
    #expect(try await host(service).fenceFailure != nil)
    try await service.bringBack()
    #expect(try await host(service).fenceFailure == nil)
    #expect(try await host(service).state == .active)
    #expect(try await service.places(ids) == ["us-west/1"])
  }

  @Test("A host is switched off, too, where the database refused to write down at first that it is away")
  func unwritten() async throws {
    let (service, ids) = try await TestService.withTwoHosts()
    try await service.refuseAbsences()
    try await service.lose()
    await service.waitForFence()
    #expect(try await host(service).awaySince == nil && service.fence.calls == [])
    try await service.acceptAbsences()
    await service.monitor.monitors[0].noteSilence()
    #expect(try await host(service).state == .away)
    await service.keepFences()
    #expect(service.fence.calls == ["us-west/1"])
    #expect(try await service.places(ids) == ["us-west/2"])
    try await service.bringBack()
    try await service.settleEverywhere()
    #expect(try await host(service).state == .draining)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("One that answers before its absence was written down is as any other")
  func unwrittenAndBack() async throws {
    let (service, ids) = try await TestService.withTwoHosts()
    try await service.refuseAbsences()
    try await service.lose()
    try await service.bringBack()
    try await service.acceptAbsences()
    await service.monitor.monitors[0].noteSilence()
    await service.waitForFence()
    #expect(try await host(service).state == .active)
    #expect(try await service.places(ids) == ["us-west/1"] && service.fence.calls == [])
  }

  @Test("A host that is back makes copies, whatever was being copied there when it was lost, or waited for that")
  func copies() async throws {
    let (service, ids) = try await TestService.withSharedStorage(servers: 4)
    for id in ids { _ = try await service.backups.create(DiskCopies.Draft(server: .id(id)), service.owner) }
    for _ in 1...8 { _ = try await service.runner.runNextStep() }
    #expect(service.driver.calls.contains { $0.method == .ensureCopied })
    try await service.lose()
    await service.waitForFence()
    #expect(try await Set(service.places(ids)) == ["us-west/2"])
    try await service.settleEverywhere()
    try await service.bringBack()
    try await service.settleEverywhere()
    _ = try await service.store.setDraining(false, host: "us-west/1", at: service.clock.now)
    for _ in 1...3 {
      let id = try await service.activeServer()
      #expect(try await service.places([id]) == ["us-west/1"])
      let copy = try await service.backup(of: id)
      #expect(try await service.backups.read(copy, service.owner).status == .completed)
    }
    #expect(try await service.contradictionsAtRest() == [])
  }
}
