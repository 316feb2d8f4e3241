import Core
import Testing

import struct Foundation.UUID

@Suite struct OperationTests {
  @Test("Operations are claimed in the order in which they became due, each by one only")
  func order() async throws {
    try await withStore { fixture in
      let now = Fixture.now
      let late = try await fixture.create(at: now + .seconds(2))
      let early = try await fixture.create(at: now + .seconds(1))
      #expect(try await fixture.store.nextOperationDue(on: Fixture.host) == now + .seconds(1))
      #expect(try await fixture.claim(at: now + .seconds(2)).operation.serverID == early.id)
      #expect(try await fixture.claim(at: now + .seconds(2)).operation.serverID == late.id)
      #expect(try await fixture.store.claimOperation(on: Fixture.host, at: now + .seconds(2)) == nil)
    }
  }

  @Test("Who claims several gets those that have been due for longest, each under a lease of its own")
  func several() async throws {
    try await withStore { fixture in
      let store = fixture.store
      var servers: [ID<Server>] = []
      for second in [3, 1, 2] { servers.append(try await fixture.create(at: Fixture.now + .seconds(second)).id) }
      let now = Fixture.now + .seconds(3)
      let tokens = (1...2).map { _ in UUID() }
      let first = try await store.claimOperations(on: Fixture.host, as: tokens, at: now)
      #expect(first.map(\.operation.serverID) == [servers[1], servers[2]])
      #expect(first.map(\.token) == tokens)
      let second = try await store.claimOperations(on: Fixture.host, as: (1...5).map { _ in UUID() }, at: now)
      #expect(second.map(\.operation.serverID) == [servers[0]])
      #expect(try await store.claimOperations(on: Fixture.host, as: tokens, at: now).isEmpty)
      try await store.releaseLeases([tokens[0]], on: Fixture.host)
      #expect(try await fixture.claim(at: now).operation.serverID == servers[1])
    }
  }

  @Test("Of many runners that claim at once each gets another operation")
  func concurrentClaims() async throws {
    try await withStore { fixture in
      for _ in 0..<20 { _ = try await fixture.create() }
      let claimed = try await withThrowingTaskGroup(of: Lease?.self) { group in
        for _ in 0..<40 {
          group.addTask {
            try await fixture.store.claimOperation(on: Fixture.host, at: Fixture.now)
          }
        }
        return try await group.reduce(into: []) { leases, lease in leases.append(lease) }.compactMap(\.self)
      }
      #expect(Set(claimed.map(\.operation.id)).count == 20)
      #expect(claimed.count == 20)
    }
  }

  @Test("A lease shows the operation as it runs, over waits and retries")
  func steps() async throws {
    try await withStore { fixture in
      let server = try await fixture.create()
      let store = fixture.store
      var now = Fixture.now + .seconds(1)
      let first = try await fixture.claim(.create, at: now)
      #expect(first.operation.state == .running)
      #expect(first.operation.step == nil)

      let wait = StepOutcome(.wait(until: now + .seconds(10)))
      #expect(try await store.commit(wait, of: first, at: now) == .committed)
      #expect(try await store.nextOperationDue(on: Fixture.host) == now + .seconds(10))
      #expect(try await store.claimOperation(on: Fixture.host, at: now + .seconds(9)) == nil)

      let second = try await fixture.claim(.create, at: now + .seconds(10))
      let retry = StepOutcome(.retry(at: now + .seconds(20), operatorDetail: "no answer"))
      #expect(try await store.commit(retry, of: second, at: now + .seconds(10)) == .committed)

      let third = try await fixture.claim(.create, at: now + .seconds(20))
      #expect(third.operation.failures == 1)
      #expect(third.operation.operatorDetail == "no answer")
      now = now + .seconds(21)
      #expect(try await store.commit(StepOutcome(.advance(to: "start")), of: third, at: now) == .committed)

      let fourth = try await fixture.claim(.create, at: now)
      #expect(fourth.operation.step == "start")
      #expect(fourth.operation.failures == 0)
      #expect(try await store.commit(StepOutcome(.succeed), of: fourth, at: now) == .committed)
      let operation = try await store.operations(of: server.id).first
      #expect(operation?.state == .succeeded)
      #expect(operation?.finishedAt == now)
      #expect(try await store.nextOperationDue(on: Fixture.host) == nil)
    }
  }

  @Test("Who has lost the lease writes nothing")
  func fenced() async throws {
    try await withStore { fixture in
      let server = try await fixture.create()
      let lost = try await fixture.claim(.create)
      let later = Fixture.now + .seconds(60)
      try await fixture.store.releaseAllLeases()
      let held = try await fixture.claim(.create, at: later)
      let before = try await fixture.reread(server)
      let outcome = StepOutcome(.succeed, effect: .becameActive)
      #expect(try await fixture.store.commit(outcome, of: lost, at: later) == .fenced)
      #expect(try await fixture.reread(server) == before)
      #expect(try await fixture.store.operations(of: server.id).first?.state == .running)
      #expect(try await fixture.store.commit(outcome, of: held, at: later) == .committed)
      #expect(try await fixture.store.commit(outcome, of: held, at: later) == .fenced)
    }
  }

  @Test("A lease holds until it is given back, whatever the time of day is set to", arguments: [-86_400, 80, 86_400])
  func holds(jump: Int) async throws {
    try await withStore { fixture in
      _ = try await fixture.create()
      let now = Fixture.now + .seconds(jump)
      let lease = try await fixture.claim(.create)
      #expect(try await fixture.store.claimOperation(on: Fixture.host, at: now) == nil)
      #expect(try await fixture.store.nextOperationDue(on: Fixture.host) == nil)
      let retry = StepOutcome(.retry(at: now, operatorDetail: "The step did not return."))
      #expect(try await fixture.store.commit(retry, of: lease, at: now) == .committed)
      let next = try await fixture.claim(.create, at: now)
      #expect(next.operation.id == lease.operation.id)
      #expect(next.token != lease.token)
    }
  }

  @Test("Nothing waits for longer than was meant because the clock was set back", arguments: [20, 3600])
  func setBack(seconds: Int) async throws {
    try await withStore { fixture in
      _ = try await fixture.create()
      let wait = StepOutcome(.wait(until: Fixture.now + .milliseconds(250)))
      _ = try await fixture.store.commit(wait, of: try await fixture.claim(.create), at: Fixture.now)
      #expect(try await fixture.store.claimOperation(on: Fixture.host, at: Fixture.now + .milliseconds(249)) == nil)
      #expect(try await fixture.store.claimOperation(on: Fixture.host, at: Fixture.now - .seconds(seconds)) != nil)
    }
  }

  @Test("What waits for its turn is due when that comes")
  func hastened() async throws {
    try await withStore { fixture in
      _ = try await fixture.create()
      let lease = try await fixture.claim(.create)
      let later = StepOutcome(.postpone(until: Fixture.now + .seconds(600)))
      _ = try await fixture.store.commit(later, of: lease, at: Fixture.now)
      let now = Fixture.now + .seconds(1)
      #expect(try await fixture.store.claimOperation(on: Fixture.host, at: now) == nil)
      try await fixture.store.hasten([lease.operation.id], at: now)
      #expect(try await fixture.store.claimOperation(on: Fixture.host, at: now)?.operation.id == lease.operation.id)
    }
  }

  @Test("A process that starts finds every lease free")
  func releaseAll() async throws {
    try await withStore { fixture in
      _ = try await fixture.create()
      let lease = try await fixture.claim(.create)
      try await fixture.store.releaseAllLeases()
      #expect(try await fixture.store.commit(StepOutcome(.succeed), of: lease, at: Fixture.now) == .fenced)
      #expect(try await fixture.claim(.create).operation.id == lease.operation.id)
    }
  }

  @Test("What was asked for later waits for what came before, even while that waits itself")
  func oneAtATime() async throws {
    try await withStore { fixture in
      let server = try await fixture.activeServer()
      let now = Fixture.now
      _ = try await fixture.store.updateServer(
        server.id, ServerChange(hostname: Hostname("a.example.com")), by: fixture.caller, at: now)
      _ = try await fixture.store.requestAction(.stop, on: server.id, by: fixture.caller, at: now)
      let configure = try await fixture.claim(.configure)
      #expect(try await fixture.store.claimOperation(on: Fixture.host, at: now) == nil)
      let wait = StepOutcome(.wait(until: now + .seconds(5)))
      _ = try await fixture.store.commit(wait, of: configure, at: now)
      #expect(try await fixture.store.claimOperation(on: Fixture.host, at: now) == nil)
      #expect(try await fixture.store.nextOperationDue(on: Fixture.host) == now + .seconds(5))
      try await fixture.finish(.configure, at: now + .seconds(5))
      #expect(try await fixture.store.nextOperationDue(on: Fixture.host) == now)
      _ = try await fixture.claim(.stop, at: now + .seconds(5))
    }
  }

  @Test("The next due time is never later than what can be claimed", arguments: 1...8)
  func nextDueMirrorsClaim(seed: UInt64) async throws {
    try await withStore { fixture in
      var random = SeededGenerator(seed: seed)
      var now = Fixture.now
      var servers: [Server] = []
      for _ in 0..<4 { servers.append(try await fixture.create()) }
      for _ in 0..<60 {
        now = now + .seconds(Int64.random(in: 0...20, using: &random))
        let due = try await fixture.store.nextOperationDue(on: Fixture.host)
        guard let lease = try await fixture.store.claimOperation(on: Fixture.host, at: now) else {
          #expect(due.map { $0 > now } ?? true, "something was said to be due, and was not")
          continue
        }
        #expect(due.map { $0 <= now } ?? false, "something was due that nobody was told of")
        let outcomes: [StepOutcome.Next] = [
          .advance(to: "next"), .wait(until: now + .seconds(7)), .retry(at: now + .seconds(3), operatorDetail: "x"),
        ]
        if let next = outcomes.randomElement(using: &random), Bool.random(using: &random) {
          _ = try await fixture.store.commit(StepOutcome(next), of: lease, at: now)
        }
        if Int.random(in: 0..<10, using: &random) == 0, let server = servers.randomElement(using: &random) {
          _ = try await fixture.store.requestDeletion(of: server.id, by: fixture.caller, at: now)
        }
      }
    }
  }
}
