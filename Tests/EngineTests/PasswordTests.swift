import Core
import Foundation
import SimulatedDriver
import TestSupport
import Testing

@testable import Engine

@Suite("A password of a guest at another service's host")
struct PasswordTests {
  /// A service that only asks the one that has the host.
  private static func service() async throws -> (TestService, Server, PasswordKeeper) {
    let service = try await TestService()
    let id = try await service.servers.create(service.draft(), service.owner).view.server.id
    try await service.settle()
    let host = service.fleet.hosts[0]
    host.note(isServedHere: false)
    let keeper = PasswordKeeper(of: host, store: service.store, clock: service.clock, logger: .quiet)
    return (service, try #require(try await service.store.server(id)), keeper)
  }

  private static func reset(_ server: Server, _ service: TestService) -> Task<String, any Error> {
    Task { try await service.servers.resetPassword(of: server.id, service.owner) }
  }

  private static func whenAsked(_ server: Server, _ service: TestService) async throws {
    let isAsked = try await comesTrue {
      try await !service.store.passwordResets(on: server.hostID, limit: 1, at: service.clock.now).isEmpty
    }
    #expect(isAsked, "nobody was asked")
  }

  @Test("It is set by the service that has the host, as if that had been asked")
  func elsewhere() async throws {
    let (service, server, keeper) = try await Self.service()
    let reset = Self.reset(server, service)
    try await Self.whenAsked(server, service)
    #expect(await failure { _ = try await Self.reset(server, service).value }?.code == .conflict)
    await keeper.pollOnce()
    service.changes.tell(server.id)
    #expect(try await reset.value.count == 20)
    #expect(service.driver.machine(server.uuid)?.disk?.passwordHashes?["root"]?.hasPrefix("$6$") == true)
    #expect(try await service.store.passwordResets(on: server.hostID, limit: 1, at: service.clock.now) == [])

    try service.driver.setQuirks([.agentNeverAnswers], of: server.uuid)
    let silent = Self.reset(server, service)
    try await Self.whenAsked(server, service)
    await keeper.pollOnce()
    service.changes.tell(server.id)
    let refused = await failure { _ = try await silent.value }
    #expect(refused?.code == .noCapacity && refused?.message == "The server does not answer at the moment.")
  }

  @Test("Nobody waits for a service that does not answer longer than for a guest that does not")
  func nobody() async throws {
    let (service, server, keeper) = try await Self.service()
    let reset = Self.reset(server, service)
    try await Self.whenAsked(server, service)
    let end = service.clock.uptime + .seconds(31)
    while service.clock.uptime < end {
      service.clock.advance(by: .milliseconds(100))
      for _ in 0..<20 { await Task.yield() }
    }
    #expect(await failure { _ = try await reset.value }?.code == .noCapacity)
    // What comes too late sets nothing.
    await keeper.pollOnce()
    #expect(service.driver.machine(server.uuid)?.disk?.passwordHashes == nil)
  }
}
