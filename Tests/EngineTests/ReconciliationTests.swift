import Core
import Foundation
import SimulatedDriver
import TestSupport
import Testing

@testable import Engine

@Suite("Rows and machines are brought together")
struct ReconciliationTests {
  @Test("A guest that powers itself off is stopped")
  func guestPowersOff() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    try service.driver.guestPowersOff(try await machine(of: id, service))
    await service.monitor.look()
    #expect(try await service.status(of: id) == .stopped)
  }

  @Test("A machine that crashed is started again, three times in ten minutes, and then left in error")
  func crash() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    for _ in 1...3 {
      try service.driver.crash(try await machine(of: id, service))
      await service.monitor.look()
      #expect(try await service.status(of: id) == .starting)
      try await service.settle()
      #expect(try await service.status(of: id) == .active)
    }
    try service.driver.crash(try await machine(of: id, service))
    await service.monitor.look()
    #expect(try await service.status(of: id) == .error)
    _ = try await service.servers.perform(.start, on: id, service.owner)
    try await service.settle()
    #expect(try await service.status(of: id) == .active)
  }

  @Test("Crashes further apart than ten minutes are always recovered")
  func rareCrashes() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    for _ in 1...5 {
      try service.driver.crash(try await machine(of: id, service))
      await service.monitor.look()
      try await service.settle()
      #expect(try await service.status(of: id) == .active)
      service.clock.advance(by: .seconds(300))
    }
  }

  @Test("After a restart of the host, what was active comes back and what was stopped stays")
  func hostRestarts() async throws {
    let service = try await TestService()
    let active = try await service.activeServer()
    let stopped = try await service.activeServer()
    _ = try await service.servers.perform(.stop, on: stopped, service.owner)
    try await service.settle()
    try service.driver.hostRestarts()
    await service.monitor.look()
    try await service.settle()
    #expect(try await service.status(of: active) == .active)
    #expect(try await service.status(of: stopped) == .stopped)
  }

  @Test("A machine without a row is removed, and one with a row never is")
  func reap() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let stranger = UUID()
    try await service.driver.ensureDefined(
      MachineSpecification(
        machine: stranger, label: "stranger", hostname: Hostname("stranger")!, vcpus: 1, memoryMiB: 512, storageGiB: 5,
        imageName: "debian-12", imageVersion: SimulatedDriver.imageVersion, address: IPv4Address("127.80.9.9")!,
        authorizedKey: nil, rootPasswordHash: nil, mayCreateDisk: true))
    await service.monitor.look()
    #expect(try await service.driver.power(of: stranger) == .absent)
    #expect(try await service.driver.power(of: machine(of: id, service)) == .running)
  }

  @Test("A difference is acted upon only where no operation owns the machine", arguments: ServerStatus.allCases)
  func operationOwnsMachine(status: ServerStatus) {
    let item = InventoryItem(
      id: ID(1), uuid: UUID(), status: status, planID: ID(1), hasDisk: true, isDeleted: false, hasOperation: true)
    for power in Self.powers {
      #expect(Reconciliation.action(wanted: item, observed: power) == .none)
    }
  }

  @Test("Only a shutdown that was seen to come from the guest stops an active server", arguments: powers)
  func onlySeenShutdown(power: MachinePower) {
    let item = InventoryItem(
      id: ID(1), uuid: UUID(), status: .active, planID: ID(1), hasDisk: true, isDeleted: false, hasOperation: false)
    let action = Reconciliation.action(wanted: item, observed: power)
    #expect((action == .recordShutdown) == (power == .off(.guestShutdown)))
    #expect((action == .none) == (power == .running))
  }

  private static let powers: [MachinePower] = [
    .running, .paused, .off(.guestShutdown), .off(.other), .remnant, .absent,
  ]

  private func machine(of id: ID<Server>, _ service: TestService) async throws -> UUID {
    try #require(try await service.store.server(id)?.uuid)
  }
}
