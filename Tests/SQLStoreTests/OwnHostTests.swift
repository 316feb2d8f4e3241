import Core
import Foundation
import SQLStore
import TestSupport
import Testing

@Suite("Services that each have a host of their own")
struct OwnHostTests {
  private static let (one, other) = (Replica(name: "one"), Replica(name: "other"))
  private static let (here, there) = (UUID(), UUID())
  private static let long = Duration.seconds(3600)

  private static func declared(_ name: String, at location: String? = nil) -> HostDeclaration {
    HostDeclaration(name: name, location: location, driver: "libvirt", url: "https://\(name).example.com")
  }

  private static func register(
    _ name: String, of directory: UUID, at location: String? = nil, mayShareLocation: Bool = true, _ store: SQLStore
  ) async throws -> Core.Host {
    try await store.registerOwnHost(
      declared(name, at: location), of: directory, mayShareLocation: mayShareLocation, at: Fixture.now)
  }

  private static func names(_ store: SQLStore) async throws -> [String] {
    try await store.hosts().map(\.host).filter(\.isConfigured).map(\.name)
  }

  @Test(
    "Each registers its own, which leaves those of the others as they are, and takes the place of one without servers")
  func register() async throws {
    try await withStore { fixture in
      let store = try await fixture.database.open()
      let mine = try await Self.register("node1", of: Self.here, store)
      #expect(mine.url == "https://node1.example.com" && mine.state == .away)
      #expect(try await Self.names(store) == ["node1"], "nobody needs the one that every database begins with")
      let theirs = try await Self.register("node2", of: Self.there, at: "us-east", store)
      #expect(try await Self.names(store) == ["node1", "node2"])
      #expect(try await Self.register("node1", of: Self.here, store).id == mine.id)
      // Without servers it is only a name.
      _ = try await Self.register("node3", of: Self.there, store)
      #expect(try await Self.names(store) == ["node1", "node3"])
      #expect(try await Self.register("node2", of: Self.there, store).id == theirs.id)
    }
  }

  @Test("No service takes the servers of another machine for its own, nor leaves its own behind under another name")
  func owners() async throws {
    try await withStore { fixture in
      let store = try await fixture.database.open()
      _ = try await Self.register("node1", of: Self.here, store)
      await #expect(throws: HostRefused.self) { try await Self.register("node1", of: Self.there, store) }
      let host = try #require(try await store.hosts().first?.host)
      try await store.recordAnswer(of: host.id, capacity: nil)
      let server = try await store.createServer(
        fixture.newServer(), pools: .init(fixture.pool), by: fixture.caller, at: Fixture.now)
      #expect(server.hostID == host.id)
      let refused = await #expect(throws: HostRefused.self) { try await Self.register("node9", of: Self.here, store) }
      #expect(refused?.description.contains("vpsd host rename node1 NAME") == true)
      #expect(try await Self.names(store) == ["node1"])
    }
  }

  @Test(
    "Servers from before there were several services stay where they are, once their host has the name of its machine")
  func rename() async throws {
    try await withStore { fixture in
      let store = try await fixture.database.open()
      let server = try await fixture.create()
      let refused = await #expect(throws: HostRefused.self) { try await Self.register("node1", of: Self.here, store) }
      #expect(refused?.description.contains("vpsd host rename local NAME") == true)
      await #expect(throws: HostRefused.self) {
        try await store.renameHost("nobody", to: "node1", by: .host, at: Fixture.now)
      }
      await #expect(throws: HostRefused.self) {
        try await store.renameHost("local", to: "local", by: .host, at: Fixture.now)
      }
      #expect(try await store.renameHost("local", to: "node1", by: .host, at: Fixture.now).id == server.hostID)
      #expect(try await Self.register("node1", of: Self.here, store).id == server.hostID)
      _ = try await Self.register("node2", of: Self.there, store)
      // While one is being renamed, the others can start.
      _ = try await store.renameHost("node1", to: "node3", by: .host, at: Fixture.now)
      _ = try await Self.register("node2", of: Self.there, store)
      #expect(try await Self.names(store) == ["node3", "node2"])
      #expect(try await Self.register("node3", of: Self.here, store).id == server.hostID)
    }
  }

  @Test("A host is removed or renamed only while no service has it, and removed only without servers")
  func remove() async throws {
    try await withStore { fixture in
      let store = try await fixture.database.open()
      let host = try await Self.register("node1", of: Self.here, store)
      _ = try await store.beat(Self.one, holding: [], wanting: [], own: [.host(host.id)], for: Self.long)
      await #expect(throws: HostRefused.self) { try await store.removeHost("node1", by: .host, at: Fixture.now) }
      await #expect(throws: HostRefused.self) {
        try await store.renameHost("node1", to: "node2", by: .host, at: Fixture.now)
      }
      try await store.leave(Self.one)
      try await store.recordAnswer(of: host.id, capacity: nil)
      let server = try await store.createServer(
        fixture.newServer(), pools: .init(fixture.pool), by: fixture.caller, at: Fixture.now)
      await #expect(throws: HostRefused.self) { try await store.removeHost("node1", by: .host, at: Fixture.now) }
      try await fixture.raw.execute(
        "UPDATE server SET erased_at = 1, deleted_at = 1, credit_hold = 0 WHERE id = \(server.id)")
      _ = try await store.removeHost("node1", by: .host, at: Fixture.now)
      #expect(try await store.hosts() == [])
      // Its name is free for another machine.
      #expect(try await Self.register("node1", of: Self.there, store).id == host.id)
    }
  }

  @Test("Where addresses are routed to one machine, a location has one host")
  func locations() async throws {
    try await withStore { fixture in
      let store = try await fixture.database.open()
      func register(_ name: String, _ directory: UUID, _ location: String) async throws {
        _ = try await Self.register(name, of: directory, at: location, mayShareLocation: false, store)
      }
      try await register("node1", Self.here, "us-west")
      await #expect(throws: HostRefused.self) { try await register("node2", Self.there, "us-west") }
      try await register("node2", Self.there, "us-east")
      try await register("node1", Self.here, "us-west")
    }
  }

  @Test("A service's own duties count for no share, and are not waited for")
  func shares() async throws {
    try await withStore { fixture in
      let store = try await fixture.database.open()
      func beat(_ replica: Replica, _ own: [Duty], _ held: [Tenure] = []) async throws -> [Tenure] {
        try await store.beat(replica, holding: held, wanting: [.installation], own: own, for: Self.long).tenures
      }
      let mine = [Duty.host(ID(1)), .host(ID(2))]
      let all = try await beat(Self.one, mine)
      #expect(Set(all.map(\.duty)) == Set(mine + [.installation]))
      #expect(try await beat(Self.other, [.host(ID(3))]).map(\.duty) == [.host(ID(3))])
      let installation = try #require(all.first { $0.duty == .installation })
      try await store.giveBack([installation], of: Self.one)
      // Of what is shared it has nothing, however many of its own it has.
      #expect(Set(try await beat(Self.other, [.host(ID(3))]).map(\.duty)) == [.installation, .host(ID(3))])
      #expect(Set(try await beat(Self.one, mine, all).map(\.duty)) == Set(mine))
    }
  }

  @Test("A host whose service was not heard of for half a minute is away, until it answers")
  func abandoned() async throws {
    try await withStore { fixture in
      let store = try await fixture.database.open()
      let lifetime = Duration.seconds(6)
      let (mine, theirs) = (
        try await Self.register("node1", of: Self.here, store), try await Self.register("node2", of: Self.there, store)
      )
      func away() async throws -> [String] {
        try await store.hosts().map(\.host).filter { $0.state == .away }.map(\.name)
      }
      func silence(_ seconds: Int) async throws {
        let expired = seconds - 6
        try await fixture.raw.execute(
          "UPDATE duty SET expires_at = \((try await store.time() - .seconds(expired)).millisecondsSinceEpoch) "
            + "WHERE name = 'host \(theirs.id)'")
        _ = try await store.beat(Self.one, holding: [], wanting: [], own: [.host(mine.id)], for: lifetime)
      }
      _ = try await store.beat(Self.other, holding: [], wanting: [], own: [.host(theirs.id)], for: lifetime)
      for host in [mine, theirs] { try await store.recordAnswer(of: host.id, capacity: nil) }
      // The database's clock goes on meanwhile.
      try await silence(20)
      #expect(try await away() == [])
      try await silence(31)
      #expect(try await away() == ["node2"])
      try await store.recordAnswer(of: theirs.id, capacity: nil)
      #expect(try await away() == [])
    }
  }

  @Test("A password is set once by the service of its host; whoever asked learns how it went, and nothing of it stays")
  func passwords() async throws {
    try await withStore { fixture in
      let store = try await fixture.database.open()
      let server = try await fixture.create()
      func reset(_ hash: String) -> PasswordReset {
        PasswordReset(serverID: server.id, hostID: server.hostID, machine: server.uuid, account: "root", hash: hash)
      }
      func ask(_ hash: String, after time: Duration = .zero) async throws -> Bool {
        let now = Fixture.now + time
        return try await store.ask(for: reset(hash), until: now + .seconds(30), at: now)
      }
      func waiting(after time: Duration = .zero) async throws -> [PasswordReset] {
        try await store.passwordResets(on: server.hostID, limit: 10, at: Fixture.now + time)
      }
      #expect(try await ask("$6$a"))
      #expect(try await !ask("$6$b"), "another one of the server is under way")
      #expect(try await waiting() == [reset("$6$a")])
      #expect(try await store.passwordResets(on: ID(99), limit: 10, at: Fixture.now) == [])
      #expect(try await store.outcome(of: reset("$6$a")) == nil)
      try await store.record(.failed(.rejected, customerReason: "No."), of: reset("$6$a"))
      #expect(try await waiting() == [])
      #expect(try await store.outcome(of: reset("$6$a")) == .failed(.rejected, customerReason: "No."))
      try await store.forget(reset("$6$a"))
      #expect(try await ask("$6$c"))
      // What is said of one that is forgotten is not said of the next one.
      try await store.record(.done, of: reset("$6$a"))
      try await store.forget(reset("$6$a"))
      #expect(try await store.outcome(of: reset("$6$c")) == nil)
      try await store.record(.done, of: reset("$6$c"))
      #expect(try await store.outcome(of: reset("$6$c")) == .done)
      try await store.forget(reset("$6$c"))
      // One that nobody carried out in time stands in nobody's way.
      #expect(try await ask("$6$d"))
      #expect(try await waiting(after: .seconds(30)) == [])
      #expect(try await ask("$6$e", after: .seconds(30)))
      try await store.forget(reset("$6$e"))
      #expect(try await fixture.raw.number("SELECT COUNT(*) FROM password_reset") == 0)
    }
  }
}
