import Core
import Testing

@Suite struct ReconciliationTests {
  @Test("An active server that shut itself down is stopped, once")
  func shutdown() async throws {
    try await withStore { fixture in
      let server = try await fixture.activeServer()
      let later = Fixture.now + .seconds(5)
      #expect(try await fixture.recordShutdown(server, at: later))
      #expect(try await fixture.reread(server).status == .stopped)
      #expect(try await fixture.reread(server).updatedAt == later)
      #expect(try await fixture.recordShutdown(server, at: later) == false)
    }
  }

  @Test("What was seen before an operation was asked for changes nothing")
  func stale() async throws {
    try await withStore { fixture in
      let server = try await fixture.activeServer()
      _ = try await fixture.store.updateServer(
        server.id, ServerChange(hostname: Hostname("a.example.com")), by: fixture.caller, at: Fixture.now)
      #expect(try await fixture.recordShutdown(server, at: Fixture.now) == false)
      #expect(try await fixture.recover(server) == false)
      #expect(try await fixture.reread(server).status == .active)
    }
  }

  @Test("Nothing that is seen of a deleted server changes it")
  func deleted() async throws {
    try await withStore { fixture in
      let server = try await fixture.activeServer()
      try await fixture.erase(server)
      #expect(try await fixture.recordShutdown(server, at: Fixture.now) == false)
      #expect(try await fixture.recover(server) == false)
    }
  }

  @Test("What was seen before an operation that is over by now changes nothing, whatever the time of day says")
  func outdated() async throws {
    try await withStore { fixture in
      let server = try await fixture.activeServer()
      let event = try await fixture.store.keptEvents().last
      _ = try await fixture.store.requestAction(.reboot, on: server.id, by: fixture.caller, at: Fixture.now)
      try await fixture.finish(.reboot, effect: .becameActive)
      for now in [Fixture.now - .seconds(3600), Fixture.now, Fixture.now + .seconds(3600)] {
        #expect(try await fixture.store.recordShutdown(of: server.id, seenAfter: event, at: now) == false)
      }
      let before = Fixture.now - .seconds(3600)
      #expect(try await fixture.recordShutdown(server, at: before), "The clock was set back.")
    }
  }

  @Test("A server in error that runs and is ready is active again; one that was never paid for is charged, or stays")
  func returns() async throws {
    try await withStore(openingCredit: Money(microunits: 5_000)) { fixture in
      let server = try await fixture.create()
      try await fixture.define()
      let fail = StepOutcome.Next.fail(customerReason: "no", operatorDetail: "no")
      try await fixture.finish(.create, fail, effect: .enteredError)
      #expect(try await fixture.balance() == Money(microunits: 5_000))
      let other = try await fixture.create()
      let event = try await fixture.store.keptEvents().last
      #expect(try await fixture.store.recordReturn(of: server.id, seenAfter: event, at: Fixture.now) == false)
      #expect(try await fixture.reread(server).status == .error)
      try await fixture.erase(other)
      let later = try await fixture.store.keptEvents().last
      #expect(try await fixture.store.recordReturn(of: server.id, seenAfter: later, at: Fixture.now))
      #expect(try await fixture.reread(server).status == .active)
      #expect(try await fixture.reread(server).statusReason == nil)
      #expect(try await fixture.balance() == .zero)
      #expect(try await fixture.contradictions() == [])
    }
  }

  @Test("A server in error that was never made does not return")
  func neverMade() async throws {
    try await withStore { fixture in
      let server = try await fixture.create()
      let fail = StepOutcome.Next.fail(customerReason: "no", operatorDetail: "no")
      try await fixture.finish(.create, fail, effect: .neverMade)
      let event = try await fixture.store.keptEvents().last
      #expect(try await fixture.store.recordReturn(of: server.id, seenAfter: event, at: Fixture.now) == false)
      #expect(try await fixture.reread(server).address == nil)
      #expect(try await fixture.contradictions() == [])
    }
  }

  @Test("A stopped server that runs is active, and one in error is left alone")
  func running() async throws {
    try await withStore { fixture in
      let server = try await fixture.stoppedServer()
      #expect(try await fixture.recordRunning(server, at: Fixture.now))
      #expect(try await fixture.reread(server).status == .active)
      #expect(try await fixture.recordRunning(server, at: Fixture.now) == false)
    }
  }

  @Test("A server is started again three times in the window, and then is in error; later ones are counted anew")
  func recovery() async throws {
    try await withStore { fixture in
      let server = try await fixture.activeServer()
      for _ in 1...3 {
        #expect(try await fixture.recover(server))
        #expect(try await fixture.reread(server).status == .starting)
        try await fixture.finish(.recover, effect: .becameActive)
      }
      #expect(try await fixture.recover(server, at: Fixture.now + .seconds(600)))
      let faulty = try await fixture.reread(server)
      #expect(faulty.status == .error)
      #expect(faulty.statusReason == "The server stopped unexpectedly several times in a row.")

      _ = try await fixture.store.requestAction(.start, on: server.id, by: fixture.caller, at: Fixture.now)
      try await fixture.finish(.start, effect: .becameActive)
      #expect(try await fixture.recover(server, at: Fixture.now + .seconds(601)))
      #expect(try await fixture.reread(server).status == .starting)
    }
  }

  @Test("The inventory tells what is and what is about to be")
  func inventory() async throws {
    try await withStore { fixture in
      let stopped = try await fixture.stoppedServer()
      let created = try await fixture.create()
      #expect(
        try await fixture.store.inventory() == [
          InventoryItem(
            id: stopped.id, uuid: stopped.uuid, status: .stopped, planID: ID(3), hasDisk: true, isDeleted: false,
            hasOperation: false, updatedAt: stopped.updatedAt),
          InventoryItem(
            id: created.id, uuid: created.uuid, status: .provisioning, planID: ID(3), hasDisk: false,
            awaitsFirstBoot: true, isDeleted: false, hasOperation: true, updatedAt: created.updatedAt),
        ])
    }
  }
}

extension Fixture {
  fileprivate func recover(_ server: Server, at now: Timestamp = now) async throws -> Bool {
    try await store.beginRecovery(
      of: server.id, limit: 3, since: now - .seconds(600), seenAfter: try await store.keptEvents().last, at: now)
  }

  fileprivate func recordShutdown(_ server: Server, at now: Timestamp) async throws -> Bool {
    try await store.recordShutdown(of: server.id, seenAfter: try await store.keptEvents().last, at: now)
  }

  fileprivate func recordRunning(_ server: Server, at now: Timestamp) async throws -> Bool {
    try await store.recordRunning(of: server.id, seenAfter: try await store.keptEvents().last, at: now)
  }
}
