import Core
import Foundation
import SimulatedDriver
import TestSupport
import Testing

@testable import Engine

@Suite("The servers of a host that is drained move to others of its location")
struct DrainingTests {
  /// A service with so many servers on its first host, and none on the second.
  private func service(servers count: Int) async throws -> (TestService, [ID<Server>]) {
    let service = try await TestService(hosts: TestService.threeHosts)
    _ = try await service.store.setDraining(true, host: "us-west/2", at: service.clock.now)
    var ids: [ID<Server>] = []
    for _ in 0..<count { ids.append(try await service.activeServer()) }
    _ = try await service.store.setDraining(false, host: "us-west/2", at: service.clock.now)
    return (service, ids)
  }

  private func drain(_ service: TestService, at time: Timestamp? = nil) async throws {
    let hosts = OperatorHosts(store: service.store, clock: service.clock)
    _ = try await hosts.setDraining(true, service.fleet.hosts[0].id, .movesServers(at: time), by: .host)
  }

  private func undrain(_ service: TestService) async throws {
    let hosts = OperatorHosts(store: service.store, clock: service.clock)
    _ = try await hosts.setDraining(false, service.fleet.hosts[0].id, by: .host)
  }

  private func counts(_ service: TestService) async throws -> [Int] {
    try await service.store.hosts().map(\.serverCount)
  }

  /// Looks at the machines and carries out what follows, as often as there may be servers to move.
  private func settle(_ service: TestService) async throws {
    for _ in 1...8 {
      await service.monitor.pollOnce()
      try await service.settle()
    }
  }

  @Test("One after another, with their addresses; those that were off stay off")
  func moves() async throws {
    let (service, ids) = try await service(servers: 3)
    _ = try await service.servers.perform(.stop, on: ids[1], service.owner)
    try await service.settle()
    let before = try await service.store.allServers()
    try await drain(service)
    for _ in 1...2 {
      await service.monitor.pollOnce()
      let moves = try await ids.asyncCount { id in
        try await service.store.operations(of: id).contains { $0.kind == .move && $0.finishedAt == nil }
      }
      #expect(moves == 1)
    }
    try await settle(service)
    #expect(try await counts(service) == [0, 3, 0])
    let after = try await service.store.allServers()
    #expect(after.map(\.addresses) == before.map(\.addresses) && after.map(\.status) == [.active, .stopped, .active])
    #expect(service.drivers[0].machine(before[0].uuid) == nil)
    let record = try await service.servers.history(of: ids[0], isNewestFirst: true, page: .first, service.owner)
      .elements[0]
    #expect(record.move?.fromLocation == "us-west" && record.move?.toLocation == "us-west")
    #expect(record.move?.oldAddress == record.move?.newAddress && record.requestedBy == nil)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("From the announced time on, which customers see before; taking it back stops what has not begun")
  func announced() async throws {
    let (service, ids) = try await service(servers: 2)
    func reason() async throws -> String? { try await service.servers.read(ids[0], service.owner).0.statusReason }
    let time = service.clock.now + .seconds(3600)
    try await drain(service, at: time)
    try await settle(service)
    #expect(try await counts(service) == [2, 0, 0])
    #expect(try #require(try await reason()).contains(time.wireFormat))
    service.clock.advance(to: time)
    await service.monitor.pollOnce()
    try await undrain(service)
    try await settle(service)
    #expect(try await counts(service) == [1, 1, 0])
    #expect(try await reason() == nil)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("Those without room elsewhere stay until there is some; the others go")
  func withoutRoom() async throws {
    let (service, ids) = try await service(servers: 2)
    service.drivers[1].configure { $0.capacity = HostCapacity(vcpus: 1, memoryMiB: 512, storageGiB: 5) }
    await service.monitor.pollOnce()
    try await drain(service)
    try await settle(service)
    #expect(try await counts(service) == [1, 1, 0])
    for id in ids { #expect(try await service.status(of: id) == .active) }
    service.drivers[1].configure { $0.capacity = nil }
    try await settle(service)
    #expect(try await counts(service) == [0, 2, 0])
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("One that cannot be brought over is tried once more, and stays; draining the host again tries anew")
  func refused() async throws {
    let (service, ids) = try await service(servers: 1)
    for driver in service.drivers {
      driver.inject(Fault(in: .ensureReceived, .fail(DriverError(.rejected, "no")), times: nil))
    }
    for tries in [2, 4] {
      try await drain(service)
      for _ in 1...4 {
        try await settle(service)
        service.clock.advance(by: .seconds(601))
      }
      let moves = try await service.store.operations(of: ids[0]).filter { $0.kind == .move }
      #expect(moves.count == tries && moves.allSatisfy { $0.state == .failed })
      #expect(try await service.status(of: ids[0]) == .active)
    }
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("Accounts have their turns, however many servers one has")
  func turns() async throws {
    let (service, _) = try await service(servers: 3)
    let (other, _) = try await service.newCaller()
    _ = try await service.store.setDraining(true, host: "us-west/2", at: service.clock.now)
    let late = try await service.activeServer(of: other)
    _ = try await service.store.setDraining(false, host: "us-west/2", at: service.clock.now)
    try await drain(service)
    for _ in 1...2 {
      await service.monitor.pollOnce()
      try await service.settle()
    }
    #expect(try await counts(service) == [2, 2, 0])
    #expect(try await service.store.server(late)?.hostID == service.fleet.hosts[1].id)
  }
}

extension Sequence {
  fileprivate func asyncCount(where isCounted: (Element) async throws -> Bool) async throws -> Int {
    var count = 0
    for element in self where try await isCounted(element) { count += 1 }
    return count
  }
}
