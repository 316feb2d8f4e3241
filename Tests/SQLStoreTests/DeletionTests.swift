import Core
import TestSupport
import Testing

@Suite struct DeletionTests {
  @Test("From the request on a deleted server is invisible to its customer, and still there for the engine")
  func invisible() async throws {
    try await withStore { fixture in
      let store = fixture.store
      let server = try await fixture.activeServer()
      #expect(try await store.requestDeletion(of: server.id, by: fixture.caller, at: Fixture.now))
      #expect(try await store.server(server.id, of: fixture.caller.accountID) == nil)
      #expect(try await store.servers(of: fixture.caller.accountID, filter: ServerFilter()).isEmpty)
      #expect(
        try await store.updateServer(server.id, ServerChange(), by: fixture.caller, at: Fixture.now) == nil)
      #expect(try await store.requestAction(.stop, on: server.id, by: fixture.caller, at: Fixture.now) == nil)
      #expect(try await store.requestDeletion(of: server.id, by: fixture.caller, at: Fixture.now) == false)
      #expect(try await store.server(server.id)?.id == server.id)
      #expect(try await store.inventory().map(\.isDeleted) == [true])
      #expect(try await store.operations(of: server.id).map(\.kind) == [.create, .delete])
    }
  }

  @Test("A delete cancels what waits, also what is between two steps")
  func cancels() async throws {
    try await withStore { fixture in
      let server = try await fixture.activeServer()
      _ = try await fixture.store.updateServer(
        server.id, ServerChange(hostname: Hostname("a.example.com")), by: fixture.caller, at: Fixture.now)
      _ = try await fixture.store.requestAction(.stop, on: server.id, by: fixture.caller, at: Fixture.now)
      try await fixture.finish(.configure, .wait(until: Fixture.now + .seconds(60)))
      _ = try await fixture.store.requestDeletion(of: server.id, by: fixture.caller, at: Fixture.now)
      let states = try await fixture.store.operations(of: server.id).map(\.state)
      #expect(states == [.succeeded, .cancelled, .cancelled, .queued])
      _ = try await fixture.claim(.delete)
    }
  }

  @Test("A delete waits for the step in flight, whose effect is recorded and which goes no further")
  func inFlight() async throws {
    try await withStore { fixture in
      let store = fixture.store
      let now = Fixture.now
      let server = try await fixture.create()
      let create = try await fixture.claim(.create)
      #expect(try await store.requestDeletion(of: server.id, by: fixture.caller, at: now))
      #expect(try await store.claimOperation(on: Fixture.host, at: now) == nil)

      let outcome = StepOutcome(.advance(to: "start"), effect: .machineDefined)
      #expect(try await store.commit(outcome, of: create, at: now) == .cancelled)
      #expect(try await fixture.reread(server).machine.hasDisk)
      #expect(try await store.operations(of: server.id).map(\.state) == [.cancelled, .queued])
      let delete = try await fixture.claim(.delete)
      #expect(try await store.commit(StepOutcome(.succeed, effect: .erased), of: delete, at: now) == .committed)
      #expect(try await fixture.balance() == Fixture.openingCredit)
    }
  }

  @Test("A server that became ready only after its deletion costs nothing")
  func readyTooLate() async throws {
    try await withStore { fixture in
      let server = try await fixture.create()
      let create = try await fixture.claim(.create)
      _ = try await fixture.store.requestDeletion(of: server.id, by: fixture.caller, at: Fixture.now)
      let outcome = StepOutcome(.succeed, effect: .becameActive)
      #expect(try await fixture.store.commit(outcome, of: create, at: Fixture.now) == .cancelled)
      try await fixture.finish(.delete, effect: .erased)
      #expect(try await fixture.balance() == Fixture.openingCredit)
    }
  }

  @Test("A delete overtakes a step whose process died, as soon as its lease is released, and fences it")
  func deadStep() async throws {
    try await withStore { fixture in
      let server = try await fixture.create()
      let dead = try await fixture.claim(.create)
      _ = try await fixture.store.requestDeletion(of: server.id, by: fixture.caller, at: Fixture.now)
      #expect(try await fixture.store.nextOperationDue(on: Fixture.host) == nil)
      try await fixture.store.releaseAllLeases()
      _ = try await fixture.claim(.delete)
      #expect(try await fixture.store.commit(StepOutcome(.succeed), of: dead, at: Fixture.now) == .fenced)
      #expect(try await fixture.store.operations(of: server.id).map(\.state) == [.cancelled, .running])
    }
  }

  @Test("A delete that was interrupted by a restart goes on at once")
  func restart() async throws {
    try await withStore { fixture in
      let server = try await fixture.create()
      _ = try await fixture.claim(.create)
      _ = try await fixture.store.requestDeletion(of: server.id, by: fixture.caller, at: Fixture.now)
      try await fixture.store.releaseAllLeases()
      let due = try #require(try await fixture.store.nextOperationDue(on: Fixture.host))
      #expect(due <= Fixture.now)
      _ = try await fixture.claim(.delete)
    }
  }
}
