import Core
import Engine
import SimulatedDriver
import TestSupport
import Testing

/// The runner, the monitor and 64 clients at once, on a real clock: who comes before whom is left to chance, what each client
/// asks for is not.
@Suite("Many clients at once")
struct ConcurrencyTests {
  private static let clients = 64
  private static let requestsOfClient = 50

  @Test(
    "Everything at once on the same servers breaks no promise", .timeLimit(.minutes(15)), arguments: [1, 2] as [UInt64])
  func everythingAtOnce(seed: UInt64) async throws {
    // Few addresses, which run out.
    let service = try await TestService(
      hosts: TestService.threeHosts, options: Self.options, addressPool: AddressPool("127.80.0.0/27")!,
      wallClock: SystemClock())
    let callers = try await Self.callers(4, service)
    let steps = Task { await service.runner.run() }
    let monitor = Task { await service.monitor.run() }
    let keepers = service.firewallKeepers.map { keeper in Task { await keeper.run() } }
    let answers = try await withThrowingTaskGroup(of: [String].self) { group in
      for number in 0..<Self.clients {
        let caller = callers[number % callers.count]
        group.addTask { try await Self.answers(to: caller, seed: seed << 32 | UInt64(number), service) }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    monitor.cancel()
    await monitor.value
    for keeper in keepers {
      keeper.cancel()
      await keeper.value
    }
    service.runner.stop()
    await steps.value

    #expect(answers.count == Self.clients * Self.requestsOfClient)
    #expect(Set(answers) == Client.possibleAnswers)
    try await Self.expectOrder(afterwards: TestService(after: service), callers)
  }

  private static func callers(_ count: Int, _ service: TestService) async throws -> [Caller] {
    var callers: [Caller] = []
    for number in 1...count {
      // Every other one is poor: five servers, and no more.
      let credit = Money(microunits: number.isMultiple(of: 2) ? 25_000 : 1_000_000)
      callers.append(try await service.newCaller(credit: credit).caller)
    }
    return callers
  }

  private static func answers(to caller: Caller, seed: UInt64, _ service: TestService) async throws -> [String] {
    var client = Client(service: service, caller: caller, seed: seed)
    var answers: [String] = []
    for _ in 1...requestsOfClient { answers.append(await client.request()) }
    // The others are in the middle of theirs.
    #expect(try await service.contradictions() == [])
    #expect(try await service.store.isBootstrapped())
    return answers
  }

  private static func expectOrder(afterwards service: TestService, _ callers: [Caller]) async throws {
    try await service.settle()
    await service.monitor.pollOnce()
    try await service.settle()
    await service.applyFirewalls()
    #expect(try await service.contradictionsAtRest() == [])
    for caller in callers {
      while true {
        let page = try await service.servers.list(ServerFilter(), caller).elements
        for view in page {
          #expect(!view.server.status.isTransitional)
          try await service.servers.delete(view.server.id, caller)
        }
        if page.isEmpty { break }
      }
    }
    try await service.settle()
    #expect(try await service.leftovers() == [])
  }

  private static let options = {
    var options = SimulatedDriver.Options()
    options.timing = MachineTiming(
      bootDeadline: .seconds(20), shutdownDeadline: .seconds(10), pollInterval: .milliseconds(5))
    options.bootDuration = .milliseconds(20)
    options.shutdownDuration = .milliseconds(10)
    options.enforcesFirewalls = true
    return options
  }()
}

private struct Client {
  static let possibleAnswers: Set<String> = [
    "done", "wrongState", "notFound", "noCapacity", "insufficientCredit", "conflict", "invalidFields",
  ]

  let service: TestService
  let caller: Caller
  var chance: SeededGenerator

  init(service: TestService, caller: Caller, seed: UInt64) {
    self.service = service
    self.caller = caller
    chance = SeededGenerator(seed: seed)
  }

  mutating func request() async -> String {
    let kind = Int.random(in: 0..<100, using: &chance)
    let pick = UInt64.random(in: 0...UInt64.max, using: &chance)
    do {
      let servers = try await service.servers.list(ServerFilter(), caller).elements
      guard kind >= 25, !servers.isEmpty else {
        _ = try await service.servers.create(
          service.draft(name: "s\(pick % 1000)", location: pick.isMultiple(of: 3) ? "us-east" : "us-west"), caller)
        return "done"
      }
      let id = servers[Int(pick % UInt64(servers.count))].server.id
      switch kind {
      case ..<60: _ = try await service.servers.perform(PowerAction.allCases[Int(pick % 3)], on: id, caller)
      case ..<75:
        let change = ServerChange(name: ServerName("n\(pick % 100)"), hostname: Hostname("h\(pick % 100).example.com"))
        _ = try await service.servers.update(id, change, caller)
      case ..<87: try await service.servers.delete(id, caller)
      case ..<91: _ = try await service.servers.rebuild(id, .init(), caller)
      case ..<95: _ = try await service.resize(id, to: Int64(pick % 3) + 1, caller)
      case ..<99:
        let rule = try FirewallRule(.inbound, .udp, ports: "\(pick % 1000 + 1)")
        _ = try await service.firewalls.replace(id, with: Firewall(isEnabled: true, rules: [rule]), caller)
      default: _ = try await service.servers.read(id, caller)
      }
      return "done"
    } catch let failure as Failure {
      return "\(failure.code)".prefix { $0 != "(" }.description
    } catch {
      return String(reflecting: error)
    }
  }
}

/// SplitMix64: the same seed asks for the same things.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
