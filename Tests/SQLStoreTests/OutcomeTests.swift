import Core
import TestSupport
import Testing

@Suite struct OutcomeTests {
  @Test("A server that becomes active is charged its first hour, once, and forgets the root password")
  func becameActive() async throws {
    try await withStore { fixture in
      let server = try await fixture.create(fixture.newServer(rootPasswordHash: "$y$hash"))
      try await fixture.finish(.create, .advance(to: "define"), effect: .imageChosen(version: "v7"))
      try await fixture.define()
      let held = try await fixture.reread(server)
      #expect(held.machine.imageVersion == "v7")
      #expect(held.machine.hasDisk)
      #expect(held.machine.rootPasswordHash == "$y$hash")
      let later = Fixture.now + .seconds(9)
      try await fixture.finish(.create, effect: .becameActive, at: later)
      let active = try await fixture.reread(server)
      #expect(active.status == .active)
      #expect(active.updatedAt == later)
      #expect(active.machine.wasEverReady)
      #expect(active.machine.rootPasswordHash == nil)
      #expect(try await fixture.balance() == Money(microunits: 99_995_000))
      #expect(try await fixture.ledger() == ["credit 100000000", "hold -5000", "release 5000", "charge -5000"])

      _ = try await fixture.store.requestAction(.reboot, on: server.id, by: fixture.caller, at: Fixture.now)
      try await fixture.finish(.reboot, effect: .becameActive, at: later)
      #expect(try await fixture.ledger().count == 4)
    }
  }

  @Test("A create that fails gives the credit back, and says why")
  func enteredError() async throws {
    try await withStore { fixture in
      let server = try await fixture.create()
      let failed = StepOutcome.Next.fail(customerReason: "There is no image.", operatorDetail: "ubuntu-22.04")
      try await fixture.finish(.create, failed, effect: .enteredError)
      let faulty = try await fixture.reread(server)
      #expect(faulty.status == .error)
      #expect(faulty.statusReason == "There is no image.")
      #expect(try await fixture.balance() == Fixture.openingCredit)
      let operation = try await fixture.store.operations(of: server.id).first
      #expect(operation?.state == .failed)
      #expect(operation?.customerReason == "There is no image.")
      #expect(operation?.operatorDetail == "ubuntu-22.04")

      let refused = await failure {
        _ = try await fixture.store.requestAction(.start, on: server.id, by: fixture.caller, at: Fixture.now)
      }
      #expect(refused?.message == "Server could not be created.")
      try await fixture.erase(server)
      #expect(try await fixture.balance() == Fixture.openingCredit)
    }
  }

  @Test("A server that was ready before and fails is not paid back, and can be started again")
  func faultyLater() async throws {
    try await withStore { fixture in
      let server = try await fixture.stoppedServer()
      _ = try await fixture.store.requestAction(.start, on: server.id, by: fixture.caller, at: Fixture.now)
      try await fixture.finish(
        .start, .fail(customerReason: "It did not boot.", operatorDetail: ""), effect: .enteredError)
      #expect(try await fixture.balance() == Money(microunits: 99_995_000))
      let started = try await fixture.store.requestAction(
        .start, on: server.id, by: fixture.caller, at: Fixture.now)
      #expect(started?.status == .starting)
      #expect(started?.statusReason == nil)
    }
  }

  @Test("An erased server is gone for the engine too, and its secrets with it")
  func erased() async throws {
    try await withStore { fixture in
      let server = try await fixture.create(fixture.newServer(rootPasswordHash: "$y$hash"))
      try await fixture.erase(server)
      #expect(try await fixture.store.server(server.id) == nil)
      #expect(try await fixture.store.inventory().isEmpty)
      #expect(try await fixture.store.operations(of: server.id).map(\.state) == [.cancelled, .succeeded])
      #expect(try await fixture.raw.number("SELECT COUNT(*) FROM address WHERE server_id IS NOT NULL") == 0)
      #expect(try await fixture.raw.number("SELECT COUNT(*) FROM server WHERE root_password_hash IS NOT NULL") == 0)
      #expect(try await fixture.balance() == Fixture.openingCredit)
      let next = try await fixture.create()
      #expect(next.id > server.id)
    }
  }

  @Test("The balance is the sum of the ledger and never negative, whatever happens", arguments: 1...6)
  func balanceIsLedgerSum(seed: UInt64) async throws {
    try await withStore(openingCredit: Money(microunits: 40_000)) { fixture in
      var random = SeededGenerator(seed: seed)
      for step in 0..<80 {
        let now = Fixture.now + .seconds(Int64(step))
        let servers = try await fixture.store.servers(of: fixture.caller.accountID, filter: ServerFilter())
        switch Int.random(in: 0..<6, using: &random) {
        case 0, 1: _ = await failure { _ = try await fixture.create(at: now) }
        case 2:
          if let server = servers.randomElement(using: &random) {
            _ = try await fixture.store.requestDeletion(of: server.id, by: fixture.caller, at: now)
          }
        default:
          if let lease = try await fixture.store.claimOperation(on: Fixture.host, at: now) {
            _ = try await fixture.store.commit(.random(for: lease, using: &random), of: lease, at: now)
          }
        }
        let sum = try await fixture.raw.number("SELECT SUM(amount) FROM ledger_entry")
        #expect(try await fixture.balance()?.microunits == sum)
        #expect(sum ?? -1 >= 0)
      }
    }
  }
}

extension Fixture {
  fileprivate func ledger() async throws -> [String] {
    try await raw.text("SELECT reason || ' ' || amount FROM ledger_entry ORDER BY id")
  }
}

extension StepOutcome {
  fileprivate static func random(for lease: Lease, using random: inout SeededGenerator) -> StepOutcome {
    if lease.operation.kind == .delete { return StepOutcome(.succeed, effect: .erased) }
    let outcomes = [
      StepOutcome(.advance(to: "start"), effect: .machineDefined),
      StepOutcome(.succeed, effect: .becameActive),
      StepOutcome(.fail(customerReason: "no", operatorDetail: "no"), effect: .enteredError),
    ]
    return outcomes[Int.random(in: 0..<outcomes.count, using: &random)]
  }
}
