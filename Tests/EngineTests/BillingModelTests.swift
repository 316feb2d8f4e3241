import Core
import Foundation
import SQLStore
import SimulatedDriver
import TestSupport
import Testing

@testable import Engine

@Suite("Whatever happens in three months, the ledger is the sum of what should be paid")
struct BillingModelTests {
  /// More of them with BILLING_SEEDS.
  static let seeds = Array(1...(ProcessInfo.processInfo.environment["BILLING_SEEDS"].flatMap { UInt64($0) } ?? 1))

  @Test(
    "Suspensions, payments, new prices, resizes, downtime and clocks that jump change nothing of that", .serialized,
    arguments: seeds)
  func threeMonths(seed: UInt64) async throws {
    var quarter = try await Quarter(seed: seed)
    while quarter.service.clock.now < Quarter.end {
      try await quarter.step()
      try await quarter.expectSame()
    }
    try await quarter.service.expectLedgerProved("seed \(seed)")
    #expect(quarter.happened.count == Quarter.kinds.count, "seed \(seed): \(quarter.happened)")
  }
}

/// From the middle of January to the middle of April of a leap year.
private struct Quarter {
  static let begin = Timestamp(millisecondsSinceEpoch: 1_831_766_400_000)  // 2028-01-17
  static let end = begin + .seconds(91 * 86_400)
  static let kinds = [
    "create", "delete", "resize", "backups", "power", "pay", "price", "suspend", "restart", "downtime", "clock",
  ]

  let seed: UInt64
  var service: TestService
  var model = BillingModel()
  var chance: SeededGenerator
  var callers: [Caller] = []
  var plans: [ID<Core.Server>: ID<Plan>] = [:]
  var prices = Dictionary(uniqueKeysWithValues: Catalogue.initial.plans.map { ($0.id, $0.pricePerHour) })
  var happened: Set<String> = []
  private var last = ""

  init(seed: UInt64) async throws {
    self.seed = seed
    chance = SeededGenerator(seed: seed)
    service = try await TestService(options: BillingTests.instant)
    service.clock.setTimeOfDay(to: Self.begin)
    await service.billing.pollOnce()
    for credit: Int64 in [60_000, 2_000_000, 90_000_000] {
      let caller = try await service.newCaller(credit: Money(microunits: credit)).caller
      callers.append(caller)
      model.balances[caller.accountID] = Money(microunits: credit)
    }
    // One that is there all the time, so that a month is full.
    try await create(for: callers[2], plan: ID(3))
  }

  private var now: Timestamp { service.clock.now }

  private mutating func number(_ range: ClosedRange<Int64>) -> Int64 { Int64.random(in: range, using: &chance) }

  mutating func step() async throws {
    let pause =
      switch number(0...99) {
      case 0...64: number(1...180)
      case 65...94: number(180...720)
      default: number(720...1500)
      }
    service.clock.advance(by: .seconds(pause * 60 + number(0...59)))
    // Not everything that is asked for finds a meter that has looked already.
    if number(0...3) > 0 { try await look() }
    let kind = Self.kinds.randomElement(using: &chance)!
    last = kind
    try await perform(kind)
    try await look()
  }

  private mutating func look() async throws {
    await service.billing.pollOnce()
    try await service.settle()
    model.look(at: now)
    try await noteDeleted()
  }

  /// Those that nobody paid for in a month are gone.
  private mutating func noteDeleted() async throws {
    for (id, server) in model.servers where !server.isDeleted {
      guard try await service.store.server(id) == nil else { continue }
      #expect(model.outOfCredit.contains(server.account), "seed \(seed): server \(id) is gone")
      model.delete(id, at: now)
    }
  }

  private mutating func perform(_ kind: String) async throws {
    let caller = callers[Int(number(0...2))]
    let own = model.servers.filter { $0.value.account == caller.accountID && !$0.value.isDeleted }.keys.sorted()
    // The first one of all stays as it is.
    let mine = own.filter { $0 != model.servers.keys.min() }
    do {
      switch kind {
      case "create" where own.count < 5: try await create(for: caller, plan: ID(number(0...4) == 0 ? 1 : 3))
      case "pay": try await pay(caller)
      case "price": try await setPrice()
      case "restart", "downtime": try await restart(isLong: kind == "downtime")
      case "clock":
        // Back by some hours, or ahead by less than a day.
        service.clock.setTimeOfDay(to: now + .seconds(number(-7_200...40_000)))
      case "suspend": try await suspend(caller, mine)
      default:
        guard let id = mine.randomElement(using: &chance) else { return }
        try await change(kind, id, caller)
      }
      happened.insert(kind)
    } catch let failure as Failure {
      #expect(
        [.wrongState, .insufficientCredit, .conflict, .permissionDenied].contains(failure.code) || kind == "resize")
    }
  }

  private mutating func create(for caller: Caller, plan: ID<Plan>) async throws {
    let id = try await service.servers.create(service.draft(plan: plan.value), caller).view.server.id
    let createdAt = now
    try await service.settle()
    plans[id] = plan
    model.create(id, of: caller.accountID, price: prices[plan]!, at: createdAt)
  }

  private mutating func change(_ kind: String, _ id: ID<Core.Server>, _ caller: Caller) async throws {
    switch kind {
    case "delete":
      guard number(0...2) == 0 else { return }
      try await service.servers.delete(id, caller)
      model.delete(id, at: now)
    case "resize":
      let plan = ID<Plan>(number(1...2))
      _ = try await service.resize(id, to: plan.value, caller)
      try await service.settle()
      plans[id] = plan
      model.resize(id, to: prices[plan]!, at: now)
    case "backups":
      let isOn = !(model.servers[id]?.hasBackups ?? false)
      _ = try await service.servers.update(id, ServerChange(isBackupEnabled: isOn), caller)
      model.setBackups(isOn, of: id, at: now)
    default:
      let status = try await service.status(of: id)
      _ = try await service.servers.perform(status == .stopped ? .start : .stop, on: id, caller)
      try await service.settle()
    }
  }

  private mutating func pay(_ caller: Caller) async throws {
    let amount = Money(microunits: number(1...400) * 1_000)
    let email = try #require(try await service.store.account(caller.accountID)).email
    _ = try await service.store.addCredit(amount, to: email, note: "", at: now)
    model.add(amount, to: caller.accountID, at: now)
  }

  private mutating func setPrice() async throws {
    let plan = ID<Plan>(number(0...3) == 0 ? 1 : 3)
    let price = Money(microunits: number(3_000...9_000) * (plan == ID(1) ? 5 : 1))
    try await service.database.setPrice(price, ofPlan: plan)
    prices[plan] = price
    service = try await TestService(after: service)
    guard number(0...1) == 0 else { return }
    var change = PlanChange()
    change.appliesToExisting = true
    _ = try await service.store.updatePlan(plan, change, at: now)
    for (id, other) in plans where other == plan && model.servers[id]?.isDeleted == false {
      model.setPrice(price, of: id, at: now)
    }
  }

  private mutating func restart(isLong: Bool) async throws {
    if isLong { service.clock.advance(by: .seconds(number(20...60) * 3600)) }
    service = try await TestService(after: service)
    if try await service.database.isBillingClockDoubted(at: now) {
      await service.billing.pollOnce()
      try await service.settle()
      try await expectSame()
      _ = try await service.database.confirmBillingClock(at: now)
    }
  }

  private mutating func suspend(_ caller: Caller, _ servers: [ID<Core.Server>]) async throws {
    guard let id = servers.randomElement(using: &chance), let server = model.servers[id] else { return }
    let reason = server.isSuspendedByOperator ? nil : "seed"
    _ = try await service.store.suspend(server: id, because: reason, at: now)
    model.settle(id, at: now)
    model.servers[id]?.isSuspendedByOperator.toggle()
  }

  func expectSame() async throws {
    for caller in callers {
      let account = try #require(try await service.store.account(caller.accountID))
      let expected = try #require(model.balances[caller.accountID])
      #expect(account.balance == expected, "seed \(seed), account \(account.id), \(now), after \(last)")
      #expect(
        (account.suspension.outOfCreditSince != nil) == model.outOfCredit.contains(account.id),
        "seed \(seed), account \(account.id), \(now)")
      if account.balance != expected { throw Differs(servers: try await differences(caller.accountID)) }
    }
  }

  /// Which hours were charged and should not be, or the other way round.
  private func differences(_ account: ID<Account>) async throws -> [String] {
    var found: [String] = []
    for (id, server) in model.servers where server.account == account {
      let charged = Set(try await service.database.chargedNumbers(of: id))
      let paid = Set(server.paidHours.keys)
      guard charged != paid else { continue }
      found.append(
        "server \(id): too many \(charged.subtracting(paid).sorted()), too few \(paid.subtracting(charged).sorted()), \(server)"
      )
    }
    return found
  }

  struct Differs: Error {
    let servers: [String]
  }
}
