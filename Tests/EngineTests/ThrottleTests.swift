import Core
import Foundation
import SQLStore
import SimulatedDriver
import TestSupport
import Testing

@testable import Engine

@Suite("Servers' networks are as fast as their plans say, and slow once they had more traffic than is included")
struct ThrottleTests {
  private static let enforcing: SimulatedDriver.Options = {
    var options = BillingTests.instant
    options.enforcesFirewalls = true
    return options
  }()

  private static func service() async throws -> TestService {
    var tariff = Tariff()
    tariff.throttleMbit = 10
    let service = try await TestService(options: enforcing, tariff: tariff)
    try await service.store.setNotices(areWritten: true)
    return service
  }

  @Test(
    "Beyond the plan's traffic a server is slow at once, until it has a plan with more or the month is over, and it is told"
  )
  func throttle() async throws {
    let service = try await Self.service()
    let id = try await service.activeServer()
    try await service.use(512_000_000_000, id)
    #expect(try await service.speed(of: id) == nil)
    try await service.use(512_000_000_001, id)
    #expect(try await service.speed(of: id) == 10)
    #expect(try await service.store.usage(of: id)?.throttleMbit == 10)
    // Looked at again, it is the same one.
    try await service.use(600_000_000_000, id)
    #expect(try await service.throttles(of: id) == [true])
    let notices = try await service.store.notices(nil, before: nil, limit: 10)
    #expect(notices.map(\.notice.kind) == [.serversThrottled] && notices[0].notice.facts.entryCount == 1)
    // A machine that is defined anew is slow from its first packet on.
    _ = try await service.servers.perform(.reboot, on: id, service.owner)
    try await service.settle()
    #expect(try await service.speed(of: id) == 10)

    try await service.resize(id)
    try await service.settle()
    try await service.use(600_000_000_000, id)
    #expect(try await service.speed(of: id) == nil)
    #expect(try await service.store.usage(of: id)?.throttleMbit == nil)
    try await service.use(2_048_000_000_001, id)
    #expect(try await service.speed(of: id) == 10)
    let month = service.clock.now.month
    while service.clock.now.month == month { try await service.pass(.seconds(86_400)) }
    await service.applyFirewalls()
    #expect(try await service.speed(of: id) == nil)
    #expect(try await service.throttles(of: id) == [true, false, true, false])
    #expect(try await service.contradictions() == [])
  }

  @Test("A new speed of a plan is that of its servers at once, and none that is slow becomes faster by it")
  func portSpeed() async throws {
    let service = try await Self.service()
    let id = try await service.activeServer()
    #expect(try await service.speed(of: id) == nil)
    for speed in [100, 5, 0] {
      var change = PlanChange()
      change.portSpeedMbit = speed
      let updated = try await service.store.updatePlan(ID(3), change, at: service.clock.now)
      #expect(updated?.plan.portSpeedMbit == speed)
      await service.applyFirewalls()
      #expect(try await service.speed(of: id) == (speed == 0 ? nil : speed))
    }
    try await service.use(512_000_000_001, id)
    for (speed, wanted) in [(100, 10), (5, 5), (0, 10)] {
      var change = PlanChange()
      change.portSpeedMbit = speed
      _ = try await service.store.updatePlan(ID(3), change, at: service.clock.now)
      await service.applyFirewalls()
      #expect(try await service.speed(of: id) == wanted)
    }
    // One that comes later is as fast as the plan.
    var change = PlanChange()
    change.portSpeedMbit = 50
    _ = try await service.store.updatePlan(ID(3), change, at: service.clock.now)
    #expect(try await service.speed(of: try await service.activeServer()) == 50)
    try await service.servers.delete(id, service.owner)
    try await service.settle()
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("Where traffic beyond the plan costs nothing, or money, nobody is slow, and who was is let go")
  func otherSettings() async throws {
    var tariff = Tariff()
    tariff.throttleMbit = 10
    let service = try await TestService(options: Self.enforcing, tariff: tariff)
    let id = try await service.activeServer()
    try await service.use(512_000_000_001, id)
    #expect(try await service.speed(of: id) == 10)
    let priced = try await service.reopened(tariff: Tariff())
    #expect(try await priced.throttleTraffic(at: service.clock.now) == [id])
    #expect(try await priced.firewall(of: id)?.allowance.speedMbit == nil)
    #expect(try await priced.throttleTraffic(at: service.clock.now).isEmpty)
  }
}

extension TestService {
  /// So many bytes went out since the server's start, and everybody has looked at that.
  fileprivate func use(_ bytes: Int64, _ id: ID<Server>) async throws {
    let server = try #require(try await store.server(id))
    try await store.recordUsage(
      [
        UsageSample(
          serverID: id, cpuPermille: 0, memoryUsedMiB: 0, diskUsedBytes: nil,
          network: NetworkCounters(receivedBytes: 5, sentBytes: bytes),
          serverUpdatedAt: server.updatedAt)
      ], at: clock.now)
    clock.advance(by: .seconds(61))
    await billing.pollOnce()
    await applyFirewalls()
  }

  /// What its host holds it to.
  fileprivate func speed(of id: ID<Server>) async throws -> Int? {
    await applyFirewalls()
    let server = try #require(try await store.server(id))
    return try #require(driver.machine(server.uuid)?.allowance).speedMbit
  }

  fileprivate func throttles(of id: ID<Server>) async throws -> [Bool] {
    try await store.events(of: owner.accountID, after: 0, limit: 1000).filter { $0.serverID == id }.compactMap {
      event in
      if case .throttle(let isThrottled) = event.subject { isThrottled } else { nil }
    }
  }
}
