import Core
import Foundation
import SQLStore
import SimulatedDriver
import TestSupport
import Testing

@testable import Engine

@Suite("Servers are paid for by the hour")
struct BillingTests {
  /// What is done takes no time.
  static let instant: SimulatedDriver.Options = {
    var options = SimulatedDriver.Options()
    options.bootDuration = .zero
    options.shutdownDuration = .zero
    return options
  }()

  @Test("Each hour that begins is one charge, of stopped servers too, and 672 of a month at most")
  func month() async throws {
    let service = try await TestService(options: Self.instant)
    service.clock.setTimeOfDay(to: Timestamp(millisecondsSinceEpoch: 1_835_366_400_000))  // 2028-02-28 16:00
    await service.billing.pollOnce()
    let running = try await service.activeServer()
    let stopped = try await service.activeServer()
    _ = try await service.servers.perform(.stop, on: stopped, service.owner)
    try await service.settle()
    // Until the end of March: February has a 29th day, and March 744 hours.
    for _ in 0..<(8 + 24 + 744 + 12) {
      service.clock.advance(by: .seconds(3600))
      await service.billing.pollOnce()
    }
    let hours = try await service.charges(of: running)
    #expect(hours.count { $0.month == 202_802 } == 32)
    #expect(hours.count { $0.month == 202_803 } == 672)
    #expect(hours.count { $0.month == 202_804 } == 13)
    #expect(try await service.charges(of: stopped) == hours)
    #expect(try await service.balance(of: service.owner) == Money(microunits: 100_000_000 - 2 * 717 * 5_000))
    try await service.expectLedgerProved()
  }

  @Test("Who has 0.10 and two servers pays twenty hours, and a payment makes each what it was")
  func twentyHours() async throws {
    let service = try await TestService(options: Self.instant)
    await service.billing.pollOnce()
    let (caller, _) = try await service.newCaller(credit: Money(microunits: 100_000))
    let running = try await service.activeServer(of: caller)
    let stopped = try await service.activeServer(of: caller)
    _ = try await service.servers.perform(.stop, on: stopped, caller)
    try await service.settle()
    for _ in 0..<9 { try await service.pass(.seconds(3600)) }
    #expect(try await service.status(of: running) == .active)
    #expect(try await service.balance(of: caller) == .zero)
    try await service.pass(.seconds(3600))
    #expect(try await service.status(of: running) == .suspended)
    #expect(try await service.status(of: stopped) == .suspended)
    let before = try #require(try await service.store.account(caller.accountID))
    #expect(before.suspension.cause == .credit)
    #expect(before.suspension.deletionAt == before.suspension.outOfCreditSince.map { $0 + .seconds(30 * 86_400) })
    for id in [running, stopped] {
      let machine = try #require(try await service.store.server(id)?.uuid)
      #expect(try await !service.driver.power(of: machine).isOn)
      for action in PowerAction.allCases {
        let refused = await failure { _ = try await service.servers.perform(action, on: id, caller) }
        #expect(refused?.message == "Server is suspended.")
      }
      #expect(await failure { try await service.resize(id, caller) }?.message == "Server is suspended.")
      let rebuilt = await failure { _ = try await service.servers.rebuild(id, .init(), caller) }
      #expect(rebuilt?.message == "Server is suspended.")
    }
    let refused = await failure { _ = try await service.servers.create(service.draft(), caller) }
    #expect(refused?.code == .insufficientCredit)
    try await service.pass(.seconds(5 * 3600))
    #expect(try await service.charges(of: running).count + service.charges(of: stopped).count == 20)
    // Less than an hour of both costs is not enough.
    try await service.pay(5_000, caller)
    #expect(try await service.status(of: running) == .suspended)
    try await service.pay(95_000, caller)
    #expect(try await service.status(of: running) == .active)
    #expect(try await service.status(of: stopped) == .stopped)
    #expect(try await service.store.account(caller.accountID)?.suspension == AccountSuspension.none)
    #expect(try await service.balance(of: caller) == Money(microunits: 90_000))
    #expect(try await service.contradictionsAtRest() == [])
    try await service.expectLedgerProved()
  }

  @Test("What nobody can see is charged and kept like what can be seen")
  func unseen() async throws {
    let service = try await TestService(hosts: TestService.threeHosts, options: Self.instant)
    await service.billing.pollOnce()
    var servers: [ID<Server>] = []
    for _ in 1...4 { servers.append(try await service.activeServer()) }
    for id in servers {
      let server = try #require(try await service.store.server(id))
      guard server.hostID == service.fleet.hosts[1].id else { continue }
      service.drivers[1].configure { $0.obscured[server.uuid] = .unknown }
    }
    await service.silence(host: 0)
    for _ in 1...3 { try await service.pass(.seconds(3600)) }
    for id in servers {
      #expect(try await service.charges(of: id).count == 4)
      #expect(try await service.status(of: id) == .active)
    }
    service.drivers[1].configure { $0.obscured = [:] }
    await service.comeBack(host: 0)
    try await service.pass(.seconds(3600))
    for id in servers { #expect(try await service.charges(of: id).count == 5) }
    try await service.expectLedgerProved()
  }

  @Test("What is only held for a server that is being made suspends nobody")
  func holds() async throws {
    let service = try await TestService(options: Self.instant)
    await service.billing.pollOnce()
    let (caller, _) = try await service.newCaller(credit: Money(microunits: 10_000))
    let id = try await service.activeServer(of: caller)
    _ = try await service.servers.create(service.draft(), caller)
    service.clock.advance(by: .seconds(3600))
    await service.billing.pollOnce()
    #expect(try await service.store.account(caller.accountID)?.suspension.cause == nil)
    #expect(try await service.charges(of: id).count == 1)
    // It becomes ready, and what was held is spent.
    try await service.settle()
    await service.billing.pollOnce()
    #expect(try await service.store.account(caller.accountID)?.suspension.cause == .credit)
  }

  @Test("An hour waits for what is held only where that would pay all that is due")
  func holdForMany() async throws {
    let service = try await TestService(options: Self.instant)
    await service.billing.pollOnce()
    let (caller, _) = try await service.newCaller(credit: Money(microunits: 20_000))
    for _ in 1...3 { _ = try await service.activeServer(of: caller) }
    _ = try await service.servers.create(service.draft(), caller)
    service.clock.advance(by: .seconds(3600))
    await service.billing.pollOnce()
    #expect(try await service.store.account(caller.accountID)?.suspension.cause == .credit)
  }

  @Test("Hours wait for what is held only as long as that would pay all of them")
  func holdForHours() async throws {
    let service = try await TestService(options: Self.instant)
    await service.billing.pollOnce()
    let (caller, _) = try await service.newCaller(credit: Money(microunits: 35_000))
    let id = try await service.activeServer(of: caller)
    // It is never made, because nothing is settled any more.
    _ = try await service.servers.create(service.draft(plan: 1), caller)
    #expect(try await service.balance(of: caller) == .zero)
    for _ in 1...6 {
      service.clock.advance(by: .seconds(3600))
      await service.billing.pollOnce()
      #expect(try await service.store.account(caller.accountID)?.suspension.cause == nil)
    }
    service.clock.advance(by: .seconds(3600))
    await service.billing.pollOnce()
    #expect(try await service.store.account(caller.accountID)?.suspension.cause == .credit)
    #expect(try await service.charges(of: id).count == 1)
  }

  @Test("What was paid in the meantime is not owed any more when the next hour waits for what is held")
  func holdAfterPayment() async throws {
    let service = try await TestService(options: Self.instant)
    await service.billing.pollOnce()
    // 95,000 for the first hours of the three, 65,000 for what is held, and 32,000 are left.
    let (caller, _) = try await service.newCaller(credit: Money(microunits: 192_000))
    var servers: [ID<Server>] = []
    for plan: Int64 in [2, 1, 3] {
      servers.append(try await service.servers.create(service.draft(plan: plan), caller).view.server.id)
      try await service.settle()
    }
    for plan: Int64 in [2, 3] { _ = try await service.servers.create(service.draft(plan: plan), caller) }
    #expect(try await service.balance(of: caller) == Money(microunits: 32_000))
    service.clock.advance(by: .seconds(3600))
    await service.billing.pollOnce()
    #expect(try await service.store.account(caller.accountID)?.suspension.cause == nil)
    #expect(try await service.balance(of: caller) == Money(microunits: 2_000))
    var counts: [Int] = []
    for id in servers { counts.append(try await service.charges(of: id).count) }
    #expect(counts == [1, 2, 1])
  }

  @Test("What is made while the clock is far behind owes nothing of the time in between")
  func clockBehind() async throws {
    let service = try await TestService(options: Self.instant)
    await service.billing.pollOnce()
    let right = service.clock.now
    service.clock.setTimeOfDay(to: right - .seconds(400 * 86_400))
    let id = try await service.activeServer()
    service.clock.setTimeOfDay(to: right + .seconds(60))
    await service.billing.pollOnce()
    #expect(try await service.charges(of: id).count == 1)
    try await service.pass(.seconds(2 * 3600))
    #expect(try await service.charges(of: id).count == 3)
    try await service.expectLedgerProved()
  }

  @Test("While the clock is in doubt nothing charges an hour that has not been, and no price is kept for years")
  func doubtedClock() async throws {
    let service = try await TestService(options: Self.instant)
    await service.billing.pollOnce()
    let (id, other) = (try await service.activeServer(), try await service.activeServer())
    let right = service.clock.now
    service.clock.setTimeOfDay(to: right + .seconds(4000 * 86_400))
    await service.billing.pollOnce()
    _ = try await service.servers.update(id, ServerChange(isBackupEnabled: true), service.owner)
    _ = try await service.servers.update(id, ServerChange(isBackupEnabled: false), service.owner)
    #expect(try await service.charges(of: id).count == 1)
    try await service.resize(other)
    try await service.settle()
    service.clock.setTimeOfDay(to: right + .seconds(60))
    await service.billing.pollOnce()
    let before = try #require(try await service.balance(of: service.owner))
    for _ in 0..<3 { try await service.pass(.seconds(3600)) }
    #expect(try await service.charges(of: id).count == 4)
    #expect(try await service.balance(of: service.owner) == before - Money(microunits: 3 * (5_000 + 30_000)))
    try await service.expectLedgerProved()
  }

  @Test("A price that changes while a server is being made is that of its next hour")
  func priceWhileBeingMade() async throws {
    let service = try await TestService(options: Self.instant)
    await service.billing.pollOnce()
    let id = try await service.servers.create(service.draft(), service.owner).view.server.id
    var change = PlanChange()
    change.pricePerHour = Money(microunits: 50_000)
    change.appliesToExisting = true
    service.clock.advance(by: .seconds(1))
    #expect(try await service.store.updatePlan(ID(3), change, at: service.clock.now)?.repricedServerCount == 1)
    try await service.settle()
    #expect(try await service.status(of: id) == .active)
    #expect(try await service.balance(of: service.owner) == Money(microunits: 100_000_000 - 5_000))
    try await service.pass(.seconds(3600))
    #expect(try await service.balance(of: service.owner) == Money(microunits: 100_000_000 - 5_000 - 50_000))
    try await service.expectLedgerProved()
  }

  @Test("Hours that nobody looked at are charged once, and a clock that is set back charges none twice")
  func downtimeAndClock() async throws {
    var service = try await TestService(options: Self.instant)
    await service.billing.pollOnce()
    let id = try await service.activeServer()
    service.clock.advance(by: .seconds(20 * 3600))
    service = try await TestService(after: service)
    await service.billing.pollOnce()
    #expect(try await service.charges(of: id).count == 21)
    service.clock.setTimeOfDay(to: service.clock.now - .seconds(10 * 3600))
    for _ in 0..<10 { try await service.pass(.seconds(3600)) }
    #expect(try await service.charges(of: id).count == 21)
    try await service.pass(.seconds(3600))
    #expect(try await service.charges(of: id).count == 22)
    try await service.expectLedgerProved()
  }

  @Test("A clock that jumps ahead stops billing until the operator confirms it, or it is set right")
  func jump() async throws {
    let service = try await TestService(options: Self.instant)
    await service.billing.pollOnce()
    let id = try await service.activeServer()
    let right = service.clock.now
    service.clock.setTimeOfDay(to: right + .seconds(40 * 86_400))
    await service.billing.pollOnce()
    #expect(try await service.charges(of: id).count == 1)
    #expect(try await service.database.isBillingClockDoubted(at: service.clock.now))
    // One that is made meanwhile is paid for all the same, when the clock is right again.
    let other = try await service.activeServer()
    service.clock.setTimeOfDay(to: right)
    try await service.bill()
    try await service.pass(.seconds(2 * 3600))
    try await service.pass(.seconds(2 * 3600))
    #expect(try await service.charges(of: id).count == 5)
    #expect(try await service.charges(of: other).count == 5)
    service.clock.setTimeOfDay(to: service.clock.now + .seconds(27 * 3600))
    await service.billing.pollOnce()
    #expect(try await service.charges(of: id).count == 5)
    _ = try await service.database.confirmBillingClock(at: service.clock.now)
    await service.billing.pollOnce()
    #expect(try await service.charges(of: id).count == 32)
    try await service.expectLedgerProved()
  }

  @Test(
    "Who makes a server small and resizes it within its first hour pays the difference, and later from the next hour on"
  )
  func resize() async throws {
    let service = try await TestService(options: Self.instant)
    await service.billing.pollOnce()
    let first = try await service.activeServer()
    let later = try await service.activeServer()
    try await service.resize(first)
    try await service.settle()
    #expect(try await service.balance(of: service.owner) == Money(microunits: 100_000_000 - 30_000 - 5_000))
    try await service.pass(.seconds(3700))
    #expect(try await service.balance(of: service.owner) == Money(microunits: 100_000_000 - 60_000 - 10_000))
    try await service.resize(later)
    try await service.settle()
    #expect(try await service.balance(of: service.owner) == Money(microunits: 100_000_000 - 60_000 - 10_000))
    try await service.pass(.seconds(3600))
    #expect(try await service.balance(of: service.owner) == Money(microunits: 100_000_000 - 90_000 - 40_000))
    try await service.expectLedgerProved()
  }

  @Test("Backups cost a fifth of the server for each hour in which they are on")
  func backups() async throws {
    let service = try await TestService(options: Self.instant)
    await service.billing.pollOnce()
    let id = try await service.activeServer()
    for isOn in [true, false, true] {
      _ = try await service.servers.update(id, ServerChange(isBackupEnabled: isOn), service.owner)
    }
    try await service.pass(.seconds(3600))
    _ = try await service.servers.update(id, ServerChange(isBackupEnabled: false), service.owner)
    try await service.pass(.seconds(3600))
    #expect(try await service.balance(of: service.owner) == Money(microunits: 100_000_000 - 3 * 5_000 - 2 * 1_000))
    try await service.expectLedgerProved()
  }

  @Test("Whoever was there before hours were charged pays from the next one on")
  func adoption() async throws {
    let service = try await TestService(options: Self.instant)
    let id = try await service.activeServer()
    try await service.database.asBeforeBilling()
    service.clock.advance(by: .seconds(100 * 3600 + 60))
    await service.billing.pollOnce()
    #expect(try await service.charges(of: id).count == 1)
    try await service.pass(.seconds(3600))
    #expect(try await service.charges(of: id).count == 2)
    #expect(try await service.contradictions() == [])
  }

  @Test("Traffic beyond the plan costs an entry a GB, and each once")
  func traffic() async throws {
    var tariff = Tariff()
    tariff.pricePerGB = Money(microunits: 10_000)
    let service = try await TestService(options: Self.instant, tariff: tariff)
    let id = try await service.activeServer()
    let before = try #require(try await service.balance(of: service.owner))
    for bytes: Int64 in [512_000_000_000, 512_000_000_001, 514_999_999_999] {
      let server = try #require(try await service.store.server(id))
      try await service.store.recordUsage(
        [
          UsageSample(
            serverID: id, cpuPermille: 0, memoryUsedMiB: 0, diskUsedBytes: nil,
            network: NetworkCounters(receivedBytes: 5, sentBytes: bytes),
            serverUpdatedAt: server.updatedAt)
        ], at: service.clock.now)
      service.clock.advance(by: .seconds(61))
      await service.billing.pollOnce()
    }
    #expect(try await service.balance(of: service.owner) == before - Money(microunits: 30_000))
    try await service.expectLedgerProved()
  }
}

extension TestService {
  /// Lets time pass, and what is due be done.
  func pass(_ duration: Duration) async throws {
    clock.advance(by: duration)
    try await bill()
  }

  func bill() async throws {
    await billing.pollOnce()
    try await settle()
    await billing.pollOnce()
    try await settle()
  }

  func pay(_ microunits: Int64, _ caller: Caller, billing isBilled: Bool = true) async throws {
    let email = try #require(try await store.account(caller.accountID)).email
    _ = try await store.addCredit(Money(microunits: microunits), to: email, note: "", at: clock.now)
    if isBilled { try await bill() }
  }

  /// When the hours began that were charged.
  func charges(of id: ID<Server>) async throws -> [Timestamp] {
    try await database.chargedHours(of: id)
  }

  func expectLedgerProved(_ comment: Comment? = nil) async throws {
    #expect(try await contradictions() == [], comment)
    for account in try await store.accounts(after: nil, limit: 500) {
      #expect(try await store.ledgerFaults(of: account.id).faults == [], comment)
    }
  }
}
