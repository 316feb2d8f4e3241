import Core
import TestSupport
import Testing

@Suite struct ServerTests {
  @Test("Neither of two accounts sees, changes or deletes the other's servers")
  func isolation() async throws {
    try await withStore { fixture in
      let store = fixture.store
      let stranger = try await fixture.stranger()
      let mine = try await fixture.activeServer()
      let theirs = try await fixture.create(by: stranger)
      let filter = ServerFilter()
      #expect(try await store.servers(of: fixture.caller.accountID, filter: filter) == [mine])
      #expect(try await store.servers(of: stranger.accountID, filter: filter) == [theirs])
      #expect(try await store.server(mine.id, of: stranger.accountID) == nil)
      let change = ServerChange(name: ServerName("taken"))
      #expect(try await store.updateServer(mine.id, change, by: stranger, at: Fixture.now) == nil)
      #expect(try await store.requestAction(.stop, on: mine.id, by: stranger, at: Fixture.now) == nil)
      #expect(try await store.requestDeletion(of: mine.id, by: stranger, at: Fixture.now) == false)
      #expect(try await store.server(mine.id, of: fixture.caller.accountID) == mine)
      #expect(try await store.allServers() == [mine, theirs])
    }
  }

  @Test("A list is ordered by id, and filtered by status and location")
  func list() async throws {
    try await withStore { fixture in
      let account = fixture.caller.accountID
      let active = try await fixture.activeServer()
      let west = try await fixture.create()
      let east = try await fixture.create(fixture.newServer("db", location: "us-east"))
      let list = { (filter: ServerFilter) in
        try await fixture.store.servers(of: account, filter: filter).map(\.id)
      }
      #expect(try await list(ServerFilter()) == [active.id, west.id, east.id])
      #expect(try await list(ServerFilter(status: .provisioning)) == [west.id, east.id])
      #expect(try await list(ServerFilter(location: "us-east")) == [east.id])
      #expect(try await list(ServerFilter(status: .active, location: "us-east")) == [])
    }
  }

  @Test("A change touches its fields only, and dates the server")
  func update() async throws {
    try await withStore { fixture in
      let server = try await fixture.activeServer()
      let later = Fixture.now + .seconds(5)
      let change = ServerChange(name: ServerName("renamed"), isBackupEnabled: true)
      let changed = try await fixture.store.updateServer(server.id, change, by: fixture.caller, at: later)
      #expect(changed?.name == ServerName("renamed"))
      #expect(changed?.isBackupEnabled == true)
      #expect(changed?.hostname == server.hostname)
      #expect(changed?.updatedAt == later)
      #expect(try await fixture.store.operations(of: server.id).map(\.kind) == [.create])
    }
  }

  @Test("A change that changes nothing leaves the date as it was")
  func emptyUpdate() async throws {
    try await withStore { fixture in
      let server = try await fixture.activeServer()
      let change = ServerChange(name: server.name, hostname: server.hostname, isBackupEnabled: false)
      let later = Fixture.now + .seconds(5)
      #expect(try await fixture.store.updateServer(server.id, change, by: fixture.caller, at: later) == server)
      #expect(try await fixture.store.operations(of: server.id).map(\.kind) == [.create])
    }
  }

  @Test("A new hostname is brought into a running guest once, however often it changes meanwhile")
  func hostname() async throws {
    try await withStore { fixture in
      let server = try await fixture.activeServer()
      let change = { (name: String) in
        _ = try await fixture.store.updateServer(
          server.id, ServerChange(hostname: Hostname(name)), by: fixture.caller, at: Fixture.now)
      }
      try await change("a.example.com")
      try await change("b.example.com")
      #expect(try await fixture.store.operations(of: server.id).map(\.kind) == [.create, .configure])
      let lease = try await fixture.claim(.configure)
      try await change("c.example.com")
      #expect(try await fixture.store.operations(of: server.id).map(\.kind) == [.create, .configure, .configure])
      _ = try await fixture.store.commit(StepOutcome(.succeed), of: lease, at: Fixture.now)
      try await fixture.finish(.configure)
      #expect(try await fixture.reread(server).status == .active)
    }
  }

  @Test("A stopped server learns its new hostname at its next start, with no operation")
  func hostnameOfStopped() async throws {
    try await withStore { fixture in
      let server = try await fixture.stoppedServer()
      let change = ServerChange(hostname: Hostname("a.example.com"))
      _ = try await fixture.store.updateServer(server.id, change, by: fixture.caller, at: Fixture.now)
      #expect(try await fixture.reread(server).hostname == Hostname("a.example.com"))
      #expect(try await fixture.store.operations(of: server.id).map(\.kind) == [.create, .stop])
    }
  }

  @Test("An action shows its status at once, and waits as an operation", arguments: [PowerAction.stop, .reboot])
  func action(_ action: PowerAction) async throws {
    try await withStore { fixture in
      let server = try await fixture.activeServer()
      let later = Fixture.now + .seconds(5)
      let changed = try await fixture.store.requestAction(action, on: server.id, by: fixture.caller, at: later)
      #expect(changed?.status == action.transitionalStatus)
      #expect(changed?.updatedAt == later)
      let operation = try await fixture.store.operations(of: server.id).last
      #expect(operation?.kind.rawValue == action.rawValue)
      #expect(operation?.requestedBy == fixture.caller.tokenID)
    }
  }

  @Test("An action that the status forbids is refused, and queues nothing")
  func refusedAction() async throws {
    try await withStore { fixture in
      let server = try await fixture.activeServer()
      let refused = await failure {
        _ = try await fixture.store.requestAction(.start, on: server.id, by: fixture.caller, at: Fixture.now)
      }
      #expect(refused?.code == .wrongState)
      #expect(refused?.message == "Server is already running.")
      #expect(try await fixture.reread(server) == server)
      #expect(try await fixture.store.operations(of: server.id).count == 1)
    }
  }

  @Test("Of two stops at once one is carried out, and the other refused")
  func racingActions() async throws {
    try await withStore { fixture in
      let server = try await fixture.activeServer()
      let stop = { @Sendable in
        await failure {
          _ = try await fixture.store.requestAction(.stop, on: server.id, by: fixture.caller, at: Fixture.now)
        }
      }
      async let first = stop()
      async let second = stop()
      let refusals = await [first, second].compactMap(\.self).map(\.message)
      #expect(refusals == ["Server is stopping."])
      #expect(try await fixture.store.operations(of: server.id).count == 2)
    }
  }

  @Test("Whoever acts on a server is on record")
  func audit() async throws {
    try await withStore { fixture in
      let server = try await fixture.activeServer()
      let change = ServerChange(name: ServerName("renamed"))
      _ = try await fixture.store.updateServer(server.id, change, by: fixture.caller, at: Fixture.now)
      _ = try await fixture.store.requestAction(.stop, on: server.id, by: fixture.caller, at: Fixture.now)
      _ = try await fixture.store.requestDeletion(of: server.id, by: fixture.caller, at: Fixture.now)
      let record = try await fixture.raw.text(
        "SELECT action || ' ' || server_id || ' ' || token_id FROM audit ORDER BY id")
      #expect(record == ["create", "update", "stop", "delete"].map { "server.\($0) 1 1" })
    }
  }
}
