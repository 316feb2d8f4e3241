import Core
import Foundation
import SQLStore
import SimulatedDriver
import TestSupport
import Testing

@testable import Engine

@Suite("Addresses that a server is given and that are taken from it reach its host and its guest")
struct SeveralAddressesTests {
  private func service() async throws -> TestService {
    var options = SimulatedDriver.Options()
    options.enforcesFirewalls = true
    return try await TestService(options: options, addressPool6: IPv6Pool("2001:db8:10::/56"))
  }

  private func add(_ family: ServerAddress.Family, to id: ID<Server>, _ service: TestService) async throws {
    let change = try await service.database.addAddress(
      .next(family), to: id, pools: service.pools, limit: 16, at: service.clock.now)
    try #require(change != nil)
  }

  private func guest(_ id: ID<Server>, _ service: TestService) async throws -> [String]? {
    let server = try #require(try await service.store.server(id))
    return service.driver.machine(server.uuid)?.guestAddresses
  }

  private static let all = ["127.80.0.1", "127.80.0.2", "2001:db8:10:1::1", "2001:db8:10:2::1"]

  @Test("A guest that runs has them at once, and keeps them through a reboot, a resize, a rebuild and a restore")
  func running() async throws {
    let service = try await service()
    let id = try await service.activeServer()
    for family in ServerAddress.Family.allCases { try await add(family, to: id, service) }
    try await service.settle()
    #expect(try await guest(id, service) == Self.all)
    let backup = try await service.backup(of: id)
    let first = try #require(ServerAddress("127.80.0.1"))
    _ = try await service.database.removeAddress(first, from: id, at: service.clock.now)
    try await service.settle()
    let rest = ["127.80.0.2", "2001:db8:10:1::1", "2001:db8:10:2::1"]
    #expect(try await guest(id, service) == rest)
    let changes: [@Sendable () async throws -> Void] = [
      { _ = try await service.servers.perform(.reboot, on: id, service.owner) },
      { _ = try await service.resize(id) },
      { _ = try await service.servers.rebuild(id, .init(), service.owner) },
      { _ = try await service.backups.restore(backup, service.owner) },
    ]
    for change in changes {
      try await change()
      try await service.settle()
      #expect(try await service.status(of: id) == .active)
      #expect(try await guest(id, service) == rest)
    }
    try await service.servers.delete(id, service.owner)
    try await service.settle()
    #expect(try await service.leftovers() == [])
  }

  @Test("A server that is off has them when it starts, and one that is being made when it is ready")
  func off() async throws {
    let service = try await service()
    let id = try await service.servers.create(service.draft(), service.owner).view.server.id
    try await add(.ipv6, to: id, service)
    try await service.settle()
    #expect(try await guest(id, service) == ["127.80.0.1", "2001:db8:10:1::1", "2001:db8:10:2::1"])
    _ = try await service.servers.perform(.stop, on: id, service.owner)
    try await service.settle()
    try await add(.ipv4, to: id, service)
    try await service.settle()
    #expect(try await service.status(of: id) == .stopped)
    _ = try await service.servers.perform(.start, on: id, service.owner)
    try await service.settle()
    #expect(try await guest(id, service) == Self.all)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("A guest that does not answer has them from its next start on, and its history says so")
  func silent() async throws {
    let service = try await service()
    let id = try await service.activeServer()
    let machine = try #require(try await service.store.server(id)).uuid
    try service.driver.setQuirks([.agentNeverAnswers], of: machine)
    try await add(.ipv4, to: id, service)
    try await service.settle()
    let operation = try #require(try await service.store.operations(of: id).last)
    #expect(operation.kind == .readdress && operation.state == .failed)
    #expect(operation.customerReason == "The server did not take its new addresses; it will at its next start.")
    #expect(try await service.status(of: id) == .active)
    #expect(try await guest(id, service) == ["127.80.0.1", "2001:db8:10:1::1"])
    // The host has it already.
    #expect(service.driver.machine(machine)?.definition?.furtherAddresses == ["127.80.0.2", "2001:db8:10:1::1"])
    _ = try await service.servers.perform(.reboot, on: id, service.owner)
    try await service.settle()
    #expect(try await guest(id, service) == ["127.80.0.1", "127.80.0.2", "2001:db8:10:1::1"])
  }

  @Test(
    "While a host does not let go of an address, nobody else has it; the host is asked again some minutes later")
  func leaving() async throws {
    let service = try await service()
    let id = try await service.activeServer()
    try await add(.ipv4, to: id, service)
    try await service.settle()
    let address = try #require(ServerAddress("127.80.0.2"))
    let broken = DriverError(.rejected, "No.")
    service.driver.inject(Fault(in: .ensureDefined, .fail(broken)))
    _ = try await service.database.removeAddress(address, from: id, at: service.clock.now)
    try await service.settle()
    #expect(try await service.store.operations(of: id).last?.state == .failed)
    #expect(try await service.store.server(id)?.addresses.leaving == [address])
    for (passed, leaving) in [(150, [address]), (151, [])] {
      service.clock.advance(by: .seconds(passed))
      await service.monitor.pollOnce()
      try await service.settle()
      #expect(try await service.store.server(id)?.addresses.leaving == leaving)
    }
    await service.monitor.pollOnce()
    #expect(try await service.store.operations(of: id).filter { $0.kind == .readdress }.count == 3)
    #expect(try await guest(id, service) == ["127.80.0.1", "2001:db8:10:1::1"])
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("An account that may mail may with all its servers within the keeper's look, and with those to come")
  func mail() async throws {
    let service = try await service()
    let id = try await service.activeServer()
    await service.applyFirewalls()
    func mayMail(_ id: ID<Server>) async throws -> Bool? {
      let server = try #require(try await service.store.server(id))
      return service.driver.machine(server.uuid)?.mayMail
    }
    #expect(try await mayMail(id) == false)
    var change = ProfileChange()
    for isAllowed in [true, false, true] {
      change.mayMail = isAllowed
      _ = try await service.store.updateProfile(of: service.owner.accountID, change, at: service.clock.now)
      await service.applyFirewalls()
      #expect(try await mayMail(id) == isAllowed)
    }
    #expect(try await mayMail(try await service.activeServer()) == true)
    let (stranger, _) = try await service.newCaller()
    #expect(try await mayMail(try await service.activeServer(of: stranger)) == false)
  }
}
