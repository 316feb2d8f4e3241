import Core
import Foundation
import Logging
import SQLStore
import SimulatedDriver
import Synchronization
import TestSupport
import Testing

@testable import Engine

@Suite("Suspended servers are off and stay off, and each cause is lifted by its own")
struct SuspensionTests {
  @Test("What the operator suspends only the operator brings back, and credit only credit")
  func causes() async throws {
    let service = try await TestService(options: BillingTests.instant)
    await service.billing.pollOnce()
    let (caller, token) = try await service.newCaller(credit: Money(microunits: 5_000))
    let id = try await service.activeServer(of: caller)
    let email = try #require(try await service.store.account(caller.accountID)).email
    #expect(try await service.store.suspend(accountOf: email, because: "Abuse.", at: service.clock.now))
    try await service.bill()
    #expect(try await service.status(of: id) == .suspended)
    // Its tokens read, and change nothing.
    service.clock.advance(by: .seconds(2))
    let known = try await service.authenticator.caller(bearing: token.text)
    #expect(try await service.servers.read(id, known).0.server.status == .suspended)
    let refused = await failure { try await service.servers.delete(id, known) }
    #expect(refused?.code == .permissionDenied && refused?.message == "Your account is suspended: Abuse.")
    // Suspended hours cost nothing, so that it does not run out of credit; a payment lifts nothing.
    for _ in 0..<3 { try await service.pass(.seconds(3600)) }
    try await service.pay(1_000, caller)
    #expect(try await service.status(of: id) == .suspended)
    #expect(try await service.store.suspend(accountOf: email, because: nil, at: service.clock.now))
    try await service.bill()
    // The hour in which it comes back cannot be paid.
    #expect(try await service.store.account(caller.accountID)?.suspension.cause == .credit)
    #expect(try await service.status(of: id) == .suspended)
    #expect(try await service.store.suspend(server: id, because: "Abuse again.", at: service.clock.now))
    try await service.pay(1_000_000, caller)
    #expect(try await service.store.account(caller.accountID)?.suspension.cause == nil)
    #expect(try await service.status(of: id) == .suspended)
    #expect(try await service.store.suspend(server: id, because: nil, at: service.clock.now))
    try await service.bill()
    #expect(try await service.status(of: id) == .active)
    try await service.servers.delete(id, try await service.authenticator.caller(bearing: token.text))
    try await service.settle()
    #expect(try await service.leftovers() == [])
    try await service.expectLedgerProved()
  }

  @Test("A suspended server that somebody starts on its host is shut down again, and a restart of the host wakes none")
  func keptOff() async throws {
    let service = try await TestService(options: BillingTests.instant)
    await service.billing.pollOnce()
    let id = try await service.activeServer()
    let machine = try #require(try await service.store.server(id)).uuid
    _ = try await service.store.suspend(server: id, because: "", at: service.clock.now)
    try await service.bill()
    #expect(try await service.status(of: id) == .suspended)
    await service.monitor.pollOnce()
    try await service.settle()
    #expect(try await !service.driver.power(of: machine).isOn)
    try await service.driver.start(machine)
    #expect(try await service.contradictionsAtRest() != [])
    await service.monitor.pollOnce()
    try await service.settle()
    #expect(try await service.status(of: id) == .suspended)
    #expect(try await !service.driver.power(of: machine).isOn)
    let next = try await TestService(after: service)
    await next.monitor.pollOnce()
    try await next.bill()
    #expect(try await next.status(of: id) == .suspended)
    #expect(try await !next.driver.power(of: machine).isOn)
    #expect(try await next.contradictionsAtRest() == [])
  }

  @Test("An hour of a suspended server costs the part that is set, and its backups nothing")
  func suspendedPrice() async throws {
    var tariff = Tariff()
    tariff.suspendedPercent = 25
    let service = try await TestService(options: BillingTests.instant, tariff: tariff)
    await service.billing.pollOnce()
    let id = try await service.activeServer()
    _ = try await service.servers.update(id, .init(isBackupEnabled: true), service.owner)
    _ = try await service.store.suspend(server: id, because: "", at: service.clock.now)
    try await service.bill()
    let before = try #require(try await service.balance(of: service.owner))
    for _ in 0..<2 { try await service.pass(.seconds(3600)) }
    #expect(try await service.balance(of: service.owner) == before - Money(microunits: 2 * 1_250))
    _ = try await service.store.suspend(server: id, because: nil, at: service.clock.now)
    try await service.bill()
    // The hour in which it comes back was paid for.
    #expect(try await service.balance(of: service.owner) == before - Money(microunits: 2 * 1_250))
    #expect(try await service.status(of: id) == .active)
    try await service.pass(.seconds(3600))
    #expect(try await service.balance(of: service.owner) == before - Money(microunits: 2 * 1_250 + 5_000 + 1_000))
    try await service.expectLedgerProved()
  }

  @Test("Whoever asks for one hostname after the other is suspended all the same")
  func renamedAgainAndAgain() async throws {
    var options = BillingTests.instant
    options.quirks = [.agentNeverAnswers]
    let service = try await TestService(options: options)
    await service.billing.pollOnce()
    let id = try await service.activeServer()
    for name in ["a", "b", "c"] {
      _ = try await service.servers.update(id, ServerChange(hostname: Hostname(name)), service.owner)
      _ = try await service.step()
    }
    _ = try await service.store.suspend(server: id, because: "", at: service.clock.now)
    await service.billing.pollOnce()
    #expect(try await service.status(of: id) == .stopping)
    try await service.settle()
    #expect(try await service.status(of: id) == .suspended)
  }

  @Test("A server that was never down when its account could pay again pays for the hour that runs")
  func neverDown() async throws {
    let service = try await TestService()
    await service.billing.pollOnce()
    let (caller, _) = try await service.newCaller(credit: Money(microunits: 5_000))
    let id = try await service.activeServer(of: caller)
    service.clock.advance(by: .seconds(3600))
    // The hour cannot be paid; the payment comes before the server has been told to stop.
    _ = try await service.store.chargeHours(begunBy: service.clock.now, after: nil, limit: 10, at: service.clock.now)
    #expect(try await service.store.account(caller.accountID)?.suspension.cause == .credit)
    try await service.pay(100_000, caller)
    #expect(try await service.status(of: id) == .active)
    #expect(try await service.charges(of: id).count == 2)
    #expect(try await service.balance(of: caller) == Money(microunits: 95_000))
    try await service.expectLedgerProved()
  }

  @Test("A server that is on its way somewhere is suspended when it is there")
  func onItsWay() async throws {
    let service = try await TestService()
    await service.billing.pollOnce()
    let id = try await service.servers.create(service.draft(), service.owner).view.server.id
    _ = try await service.store.suspend(server: id, because: "", at: service.clock.now)
    await service.billing.pollOnce()
    #expect(try await service.status(of: id) == .provisioning)
    try await service.settle()
    await service.billing.pollOnce()
    #expect(try await service.status(of: id) == .stopping)
    // It is lifted before the server is down.
    _ = try await service.store.suspend(server: id, because: nil, at: service.clock.now)
    try await service.bill()
    #expect(try await service.status(of: id) == .active)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("After a month without credit servers are deleted, and not before; a month that a clock has skipped is none")
  func deletion() async throws {
    let service = try await TestService(options: BillingTests.instant)
    await service.billing.pollOnce()
    let (caller, _) = try await service.newCaller(credit: Money(microunits: 5_000))
    let id = try await service.activeServer(of: caller)
    try await service.pass(.seconds(3600))
    #expect(try await service.status(of: id) == .suspended)
    service.clock.setTimeOfDay(to: service.clock.now + .seconds(31 * 86_400))
    try await service.bill()
    #expect(try await service.status(of: id) == .suspended)
    service.clock.setTimeOfDay(to: service.clock.now - .seconds(31 * 86_400))
    for _ in 0..<29 { try await service.pass(.seconds(86_400)) }
    #expect(try await service.status(of: id) == .suspended)
    try await service.pass(.seconds(86_400))
    #expect(try await service.status(of: id) == nil)
    try await service.bill()
    #expect(try await service.store.account(caller.accountID)?.suspension == AccountSuspension.none)
    #expect(try await service.leftovers() == [])
    try await service.expectLedgerProved()
  }

  /// Of a way down, and of a way back.
  private static let calls: [(Bool, [DriverMethod])] = [
    (false, [.power, .requestShutdown]), (true, [.ensureDefined, .start, .power, .readiness]),
  ]

  enum Trouble: CaseIterable {
    case failsOnce, failsAfterwards, failsForLong, processDies, processDiesAfterwards
  }

  @Test("Whatever call of a suspension or of a return fails, and however", .serialized, arguments: Trouble.allCases)
  func faults(trouble: Trouble) async throws {
    for (isReturn, methods) in Self.calls {
      for method in methods {
        var service = try await TestService(options: BillingTests.instant)
        await service.billing.pollOnce()
        let (caller, _) = try await service.newCaller(credit: Money(microunits: 5_000))
        let id = try await service.activeServer(of: caller)
        let machine = try #require(try await service.store.server(id)).uuid
        if isReturn {
          try await service.pass(.seconds(3600))
          try await service.pay(5_000, caller, billing: false)
        } else {
          service.clock.advance(by: .seconds(3600))
        }
        service = try await Self.work(service, through: trouble, of: method)
        for _ in 0..<3 {
          service.clock.advance(by: .seconds(61))
          await service.monitor.pollOnce()
          try await service.bill()
        }
        let context = Comment(rawValue: "\(trouble) in \(method), \(isReturn ? "coming back" : "going down")")
        // A start that failed for long leaves it in error, with a way out; a stop is tried until it works.
        var status = try await service.status(of: id)
        if isReturn, status == .error {
          _ = try await service.servers.perform(.start, on: id, caller)
          try await service.bill()
          status = try await service.status(of: id)
        }
        #expect(status == (isReturn ? .active : .suspended), context)
        #expect(try await service.driver.power(of: machine).isOn == isReturn, context)
        #expect(try await service.contradictionsAtRest() == [], context)
        try await service.expectLedgerProved(context)
      }
    }
  }

  private static func work(
    _ service: TestService, through trouble: Trouble, of method: DriverMethod
  ) async throws -> TestService {
    let error = DriverError(.unreachable, "The host does not answer.")
    switch trouble {
    case .failsOnce: service.driver.inject(Fault(in: method, .fail(error)))
    case .failsAfterwards: service.driver.inject(Fault(in: method, .failAfterwards(error)))
    case .failsForLong: service.driver.inject(Fault(in: method, .fail(error), times: nil))
    case .processDies, .processDiesAfterwards:
      service.driver.inject(Fault(in: method, trouble == .processDies ? .hang : .hangAfterwards))
      await service.billing.pollOnce()
      let last = Task { while !Task.isCancelled, try await service.runner.runNextStep() {} }
      await service.driver.whenHanging()
      let next = try await TestService(after: service)
      last.cancel()
      _ = try? await last.value
      return next
    }
    await service.billing.pollOnce()
    try await service.settle()
    service.driver.faults = Faults()
    return service
  }

  @Test("A process that dies between any two words to the store, or after them, charges and suspends the same")
  func diesAnywhere() async throws {
    var expected: [String]?
    // What each look says to the store, word by word; the last round does not die at all.
    for death in (0..<14).reversed() {
      for isAfterwards in [false, true] {
        let service = try await TestService(options: BillingTests.instant)
        await service.billing.pollOnce()
        let (poor, _) = try await service.newCaller(credit: Money(microunits: 10_000))
        _ = try await service.activeServer(of: poor)
        _ = try await service.activeServer()
        service.clock.advance(by: .seconds(3 * 3600))
        let mortal = MortalBillingStore(service.store, wordsLeft: death, isAfterwards: isAfterwards)
        await BillingMeter(
          store: mortal, fleet: service.fleet, changes: service.changes, clock: service.clock,
          logger: .init(label: "none")
        ).pollOnce()
        try await service.bill()
        let outcome =
          try await service.store.allServers().map { "\($0.status)" }
          + service.store.accounts(after: nil, limit: 9).map { "\($0.balance) \($0.suspension)" }
        #expect(outcome == expected ?? outcome, "dead at word \(death), afterwards: \(isAfterwards)")
        expected = expected ?? outcome
        try await service.expectLedgerProved()
      }
    }
  }

  @Test("64 clients beside the meter: nothing is charged twice, and no balance is below zero", .timeLimit(.minutes(15)))
  func race() async throws {
    let service = try await TestService(options: BillingTests.instant)
    await service.billing.pollOnce()
    var callers: [Caller] = []
    for _ in 0..<4 { callers.append(try await service.newCaller(credit: Money(microunits: 150_000)).caller) }
    let list = callers
    try await withThrowingTaskGroup { group in
      group.addTask {
        for _ in 0..<12 {
          service.clock.advance(by: .seconds(2400))
          await service.billing.pollOnce()
          for _ in 0..<40 where try await service.runner.runNextStep() {}
        }
      }
      for number in 0..<64 {
        group.addTask {
          let caller = list[number % list.count]
          for round in 0..<3 {
            do {
              let own = try await service.servers.list(ServerFilter(), caller).elements.map(\.server.id)
              guard let id = own.randomElement(), round != 0 else {
                _ = try await service.servers.create(service.draft(), caller)
                continue
              }
              switch (number + round) % 5 {
              case 0: try await service.servers.delete(id, caller)
              case 1: _ = try await service.servers.update(id, ServerChange(isBackupEnabled: round == 1), caller)
              case 2: _ = try await service.resize(id, caller)
              case 3:
                let email = try #require(try await service.store.account(caller.accountID)).email
                _ = try await service.store.addCredit(
                  Money(microunits: 7_000), to: email, note: "", at: service.clock.now)
              default: _ = try await service.servers.perform(.stop, on: id, caller)
              }
            } catch is Failure {}
          }
        }
      }
      try await group.waitForAll()
    }
    try await service.bill()
    #expect(try await service.contradictionsAtRest() == [])
    try await service.expectLedgerProved()
  }
}

/// Passes so many words on, and then none: what the last one asked for may have been done.
private final class MortalBillingStore: BillingStore {
  struct Death: Error {}

  private let store: any BillingStore
  private let wordsLeft: Mutex<Int>
  private let isAfterwards: Bool

  init(_ store: any BillingStore, wordsLeft: Int, isAfterwards: Bool) {
    self.store = store
    self.wordsLeft = Mutex(wordsLeft)
    self.isAfterwards = isAfterwards
  }

  private func pass<Value>(_ body: () async throws -> Value) async throws -> Value {
    let left = wordsLeft.withLock { left in
      left -= 1
      return left
    }
    guard left >= 0 || (left == -1 && isAfterwards) else { throw Death() }
    let value = try await body()
    guard left >= 0 else { throw Death() }
    return value
  }

  func judgeBillingClock(at now: Timestamp, after elapsed: Duration) async throws -> BillingClock {
    try await pass { try await store.judgeBillingClock(at: now, after: elapsed) }
  }

  func chargeHours(
    begunBy time: Timestamp, after last: HourReference?, limit: Int, at now: Timestamp
  ) async throws -> BillingProgress {
    // One at a time, so that a process can die between any two of them.
    try await pass { try await store.chargeHours(begunBy: time, after: last, limit: 1, at: now) }
  }

  func chargeTraffic(limit: Int, at now: Timestamp) async throws -> Int {
    try await pass { try await store.chargeTraffic(limit: limit, at: now) }
  }

  func throttleTraffic(at now: Timestamp) async throws -> [ID<Server>] {
    try await pass { try await store.throttleTraffic(at: now) }
  }

  func liftCreditSuspensions(at now: Timestamp) async throws -> [ID<Account>] {
    try await pass { try await store.liftCreditSuspensions(at: now) }
  }

  func applySuspensions(limit: Int, at now: Timestamp) async throws -> [ID<Core.Server>] {
    try await pass { try await store.applySuspensions(limit: 1, at: now) }
  }

  func deleteUnpaidServers(limit: Int, at now: Timestamp) async throws -> [ID<Core.Server>] {
    try await pass { try await store.deleteUnpaidServers(limit: 1, at: now) }
  }
}
