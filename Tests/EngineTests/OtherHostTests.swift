import Core
import Foundation
import SimulatedDriver
import TestSupport
import Testing

@testable import Engine

@Suite("Servers on hosts of other services")
struct OtherHostTests {
  /// A service without the second of three hosts, on which the server is.
  private static func services() async throws -> (TestService, Fleet, Server) {
    let service = try await TestService(hosts: TestService.threeHosts)
    for _ in 0..<2 { _ = try await service.servers.create(service.draft(), service.owner) }
    try await service.settle()
    let server = try #require(
      try await service.store.allServers().first { $0.hostID == service.fleet.hosts[1].id })
    let fleet = Fleet([service.fleet.hosts[0], service.fleet.hosts[2]])
    fleet.note(try await service.store.hosts())
    return (service, fleet, server)
  }

  private static func servers(_ service: TestService, _ fleet: Fleet) -> Servers {
    Servers(
      store: service.store, catalogueReader: service.catalogue, fleet: fleet,
      addressPools: AddressPools(service.pools), changes: service.changes, clock: service.clock, key: TestService.key)
  }

  @Test("They are shown as they are, and whether their host answers as its service has said")
  func shown() async throws {
    let (service, fleet, server) = try await Self.services()
    let servers = Self.servers(service, fleet)
    func reason() async throws -> String? { try await servers.read(server.id, service.owner).0.statusReason }
    #expect(try await reason() == nil)
    try await service.store.recordAway(server.hostID, since: service.clock.now)
    #expect(fleet.note(try await service.store.hosts()))
    #expect(!fleet.note(try await service.store.hosts()))
    #expect(try await reason() == Fleet.awayReason)
    try await service.store.recordAnswer(of: server.hostID, capacity: nil)
    #expect(fleet.note(try await service.store.hosts()))
    #expect(try await reason() == nil)
  }

  @Test("Their firewalls are enforced where their own service says so")
  func firewalls() async throws {
    let (service, fleet, server) = try await Self.services()
    let firewalls = Firewalls(store: service.store, fleet: fleet, changes: service.changes, clock: service.clock)
    #expect(try await !firewalls.read(server.id, service.owner).isEnforced)
    try await service.store.recordFirewalls(of: server.hostID, areEnforced: true)
    fleet.note(try await service.store.hosts())
    #expect(try await firewalls.read(server.id, service.owner).isEnforced)
  }

  @Test("A console opens at the service that has the host, and nowhere else")
  func consoles() async throws {
    let (service, fleet, server) = try await Self.services()
    func note(awaySince: Timestamp?) {
      let host = Core.Host(
        id: server.hostID, name: "node2", location: "us-west", driver: "simulated", capacity: nil, isConfigured: true,
        isDraining: false, awaySince: awaySince, url: "https://node2.example.com")
      fleet.note([
        HostLoad(host: host, reserved: HostCapacity(vcpus: 1, memoryMiB: 512, storageGiB: 10), serverCount: 1)
      ])
    }
    note(awaySince: nil)
    let consoles = Consoles(store: service.store, fleet: fleet, changes: service.changes, clock: service.clock)
    let issued = try await consoles.issueTicket(for: server.id, service.owner)
    #expect(issued.url == "https://node2.example.com")
    #expect(await failure { _ = try await consoles.open(with: issued.ticket.text) }?.code == .noCapacity)
    let again = try await consoles.issueTicket(for: server.id, service.owner)
    _ = try await service.consoles.open(with: again.ticket.text)
    note(awaySince: service.clock.now)
    #expect(await failure { _ = try await consoles.issueTicket(for: server.id, service.owner) }?.code == .noCapacity)
  }
}
