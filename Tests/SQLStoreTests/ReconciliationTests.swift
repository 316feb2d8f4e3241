import Core
import Testing

@Suite struct ReconciliationTests {
  @Test("An active server that shut itself down is stopped, once")
  func shutdown() async throws {
    try await withStore { fixture in
      let server = try await fixture.activeServer()
      let later = Fixture.now + .seconds(5)
      #expect(try await fixture.store.recordShutdown(of: server.id, at: later))
      #expect(try await fixture.reread(server).status == .stopped)
      #expect(try await fixture.reread(server).updatedAt == later)
      #expect(try await fixture.store.recordShutdown(of: server.id, at: later) == false)
    }
  }

  @Test("What was seen before an operation was asked for changes nothing")
  func stale() async throws {
    try await withStore { fixture in
      let server = try await fixture.activeServer()
      _ = try await fixture.store.updateServer(
        server.id, ServerChange(hostname: Hostname("a.example.com")), by: fixture.caller, at: Fixture.now)
      #expect(try await fixture.store.recordShutdown(of: server.id, at: Fixture.now) == false)
      #expect(try await fixture.recover(server) == false)
      #expect(try await fixture.reread(server).status == .active)
    }
  }

  @Test("Nothing that is seen of a deleted server changes it")
  func deleted() async throws {
    try await withStore { fixture in
      let server = try await fixture.activeServer()
      try await fixture.erase(server)
      #expect(try await fixture.store.recordShutdown(of: server.id, at: Fixture.now) == false)
      #expect(try await fixture.recover(server) == false)
    }
  }

  @Test("A stopped server that runs is active, and one in error is left alone")
  func running() async throws {
    try await withStore { fixture in
      let server = try await fixture.stoppedServer()
      #expect(try await fixture.store.recordRunning(of: server.id, at: Fixture.now))
      #expect(try await fixture.reread(server).status == .active)
      #expect(try await fixture.store.recordRunning(of: server.id, at: Fixture.now) == false)
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
            hasOperation: false),
          InventoryItem(
            id: created.id, uuid: created.uuid, status: .provisioning, planID: ID(3), hasDisk: false,
            isDeleted: false, hasOperation: true),
        ])
    }
  }
}

extension Fixture {
  fileprivate func recover(_ server: Server, at now: Timestamp = now) async throws -> Bool {
    try await store.beginRecovery(of: server.id, limit: 3, since: now - .seconds(600), at: now)
  }
}
