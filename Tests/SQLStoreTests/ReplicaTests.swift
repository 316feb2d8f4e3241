import Core
import Foundation
import TestSupport
import Testing

@testable import SQLStore

@Suite("Several services on one database")
struct ReplicaTests {
  private static let (one, other) = (Replica(name: "one"), Replica(name: "other"))
  private static let host = Duty.host(Fixture.host)
  private static let duties = [Duty.installation, host]
  private static let long = Duration.seconds(3600)
  /// Whoever was given something for so long has it no more, and is not yet missed.
  private static let over = Duration.zero

  private static func lease(_ fixture: Fixture) async throws -> Lease {
    _ = try await fixture.create()
    return try await fixture.claim(.create)
  }

  @Test("What one has nobody else gets, and it keeps it as long as it says that it lives")
  func alone() async throws {
    try await withStore { fixture in
      let store = try await fixture.database.open()
      let first = try await store.beat(Self.one, holding: [], wanting: Self.duties, own: [], for: Self.long)
      #expect(first.tenures == [Tenure(.installation, term: 1), Tenure(Self.host, term: 1)])
      #expect(first.replicaCount == 1 && first.dead == [])
      let second = try await store.beat(Self.other, holding: [], wanting: Self.duties, own: [], for: Self.long)
      #expect(second.tenures == [] && second.replicaCount == 2)
      let again = try await store.beat(Self.one, holding: first.tenures, wanting: Self.duties, own: [], for: Self.long)
      #expect(again.tenures == first.tenures)
      // What it does not know that it has, because the answer was lost, it gets anew.
      let forgetful = try await store.beat(Self.one, holding: [], wanting: [Self.host], own: [], for: Self.long)
      #expect(forgetful.tenures == [Tenure(Self.host, term: 2)])
    }
  }

  @Test("Each takes its share, and what is given back the one that has too little")
  func shares() async throws {
    try await withStore { fixture in
      let store = try await fixture.database.open()
      let all = try await store.beat(Self.one, holding: [], wanting: Self.duties, own: [], for: Self.long).tenures
      #expect(
        try await store.beat(Self.other, holding: [], wanting: Self.duties, own: [], for: Self.long).tenures == [])
      try await store.giveBack([all[1]], of: Self.one)
      // It has its share, and what it gave back is not for it, as long as somebody may come for it: for two seconds, by the
      // database's clock.
      try await fixture.raw.execute("UPDATE duty SET expires_at = expires_at + 3600000 WHERE replica_id IS NULL")
      let kept = try await store.beat(Self.one, holding: [all[0]], wanting: Self.duties, own: [], for: Self.long)
      #expect(kept.tenures == [all[0]])
      try await fixture.raw.execute("UPDATE duty SET expires_at = expires_at - 3600000 WHERE replica_id IS NULL")
      let taken = try await store.beat(Self.other, holding: [], wanting: Self.duties, own: [], for: Self.long)
      #expect(taken.tenures == [Tenure(Self.host, term: 3)])
      try await store.leave(Self.other)
      try await fixture.raw.execute("UPDATE duty SET expires_at = expires_at - 2001 WHERE term = 4")
      let rest = try await store.beat(Self.one, holding: kept.tenures, wanting: Self.duties, own: [], for: Self.long)
      #expect(rest.tenures == [all[0], Tenure(Self.host, term: 5)] && rest.replicaCount == 1)
    }
  }

  @Test(
    "One that is to write notices or say names, where others are there that do not, says so; alone it does as it is told"
  )
  func agreement() async throws {
    try await withStore { fixture in
      let store = try await fixture.database.open()
      func require(
        _ areNoticesWritten: Bool, _ areReverseNamesSaid: Bool, areHostsOwn: Bool = false
      ) async throws {
        try await store.requireAgreement(
          areNoticesWritten: areNoticesWritten, areReverseNamesSaid: areReverseNamesSaid, areHostsOwn: areHostsOwn,
          seenWithin: Self.long)
      }
      try await require(true, true)
      _ = try await store.beat(Self.one, holding: [], wanting: [], own: [], for: Self.long)
      try await require(false, false)
      #expect(await #expect(throws: ServicesDisagree.self) { try await require(true, false) }?.key == "notify")
      try await store.setReverseNames(areSaid: true, at: Fixture.now)
      #expect(await #expect(throws: ServicesDisagree.self) { try await require(false, false) }?.key == "rdns")
      try await require(false, true)
      let mixed = await #expect(throws: ServicesDisagree.self) { try await require(false, true, areHostsOwn: true) }
      #expect(mixed?.key == "host_name")
      try await store.leave(Self.one)
      try await require(false, false)
    }
  }

  @Test("Whoever takes a host over frees its leases with it, and nobody else does; the one before can write nothing")
  func fencing() async throws {
    try await withStore { fixture in
      let store = try await fixture.database.open()
      let held = try await store.beat(Self.one, holding: [], wanting: [Self.host], own: [], for: Self.over).tenures
      let former = store.under(try #require(held.first))
      let lease = try await Self.lease(fixture)
      _ = try await former.commit(StepOutcome(.advance(to: "start")), of: lease, at: Fixture.now)
      let second = try await fixture.claim(.create)
      // Another host's, and what is of none, frees nothing.
      _ = try await store.beat(
        Self.other, holding: [], wanting: [.installation, .host(ID(99))], own: [], for: Self.long)
      #expect(try await store.claimOperation(on: Fixture.host, at: Fixture.now) == nil)
      let taken = try await store.beat(Self.other, holding: [], wanting: [Self.host], own: [], for: Self.long).tenures
      #expect(taken == [Tenure(Self.host, term: 2)])
      await #expect(throws: TenureLost.self) {
        try await former.commit(StepOutcome(.succeed), of: second, at: Fixture.now)
      }
      await #expect(throws: TenureLost.self) { try await former.claimOperation(on: Fixture.host, at: Fixture.now) }
      await #expect(throws: TenureLost.self) { try await former.recordAway(Fixture.host, since: Fixture.now) }
      #expect(try await store.commit(StepOutcome(.succeed), of: second, at: Fixture.now) == .fenced)
      let third = try await store.under(taken[0]).claimOperation(on: Fixture.host, at: Fixture.now)
      #expect(third?.operation.step == "start")
      try await store.giveBack(taken, of: Self.other)
      await #expect(throws: TenureLost.self) {
        try await store.under(taken[0]).commit(StepOutcome(.succeed), of: try #require(third), at: Fixture.now)
      }
      // A word that comes too late takes nothing from anybody.
      try await store.giveBack(held, of: Self.one)
      #expect(try await fixture.contradictions() == [])
    }
  }

  @Test("Whoever takes over a location has all of its hosts, and while nobody has it they are away")
  func location() async throws {
    try await withStore { fixture in
      let store = try await fixture.database.open()
      let declared = ["m1", "m2"].map {
        HostDeclaration(name: "us-west/\($0)", location: "us-west", driver: "incus")
      }
      let hosts = try await store.registerHosts(declared, at: Fixture.now)
      for host in hosts {
        try await store.recordAnswer(of: host.id, capacity: nil)
        _ = try await store.createServer(
          fixture.newServer(host.id == hosts[0].id ? "one" : "two"), pools: .init(fixture.pool), by: fixture.caller,
          at: Fixture.now)
      }
      func claims() async throws -> Int {
        var count = 0
        for host in hosts where try await store.claimOperation(on: host.id, at: Fixture.now) != nil { count += 1 }
        return count
      }
      let duty = Duty.location("us-west")
      let held = try await store.beat(Self.one, holding: [], wanting: [duty], own: [], for: Self.over).tenures
      #expect(held == [Tenure(duty, term: 1)])
      #expect(try await claims() == 2)
      #expect(try await claims() == 0)
      try await store.under(held[0]).requireTenure()
      let taken = try await store.beat(Self.other, holding: [], wanting: [duty], own: [], for: Self.long).tenures
      #expect(taken == [Tenure(duty, term: 2)])
      #expect(try await claims() == 2)
      await #expect(throws: TenureLost.self) { try await store.under(held[0]).requireTenure() }
      try await store.under(taken[0]).requireTenure()
      await #expect(throws: HostRefused.self) { try await store.removeHost("us-west/m1", by: .host, at: Fixture.now) }
      func away() async throws -> Int { try await store.hosts().count { $0.host.state == .away } }
      #expect(try await away() == 0)
      try await fixture.raw.execute("UPDATE duty SET expires_at = expires_at - 3660000")
      // What the location once had, when its hosts had a duty each, is of no importance.
      try await fixture.raw.execute(
        "INSERT INTO duty (name, term, replica_id, expires_at) VALUES ('host \(hosts[1].id)', 1, NULL, 9000000000000)")
      _ = try await store.beat(Self.one, holding: [], wanting: [], own: [], for: .seconds(6))
      #expect(try await away() == 1)
      try await fixture.raw.execute("UPDATE duty SET expires_at = 1 WHERE name LIKE 'host %'")
      _ = try await store.beat(Self.one, holding: [], wanting: [], own: [], for: .seconds(6))
      #expect(try await away() == 2)
    }
  }

  @Test("What a service was asked that is missed can be asked again, and what another is at cannot")
  func requests() async throws {
    try await withStore { fixture in
      let store = try await fixture.database.open()
      func request(_ key: String) -> IdempotentRequest {
        IdempotentRequest(
          accountID: fixture.caller.accountID, principal: fixture.caller.principal, keyHash: key, fingerprint: "f",
          claim: UUID())
      }
      let keeping = RequestRetention(
        lifetime: Self.long, certainLifetime: .zero, maximumCount: nil, maximumBytes: 1000)
      func claim(_ key: String, _ store: SQLStore) async throws -> RequestState {
        try await store.claim(request(key), leaseUntil: Fixture.now + Self.long, keeping: keeping, at: Fixture.now)
      }
      _ = try await store.beat(Self.one, holding: [], wanting: [], own: [], for: Self.long)
      _ = try await store.beat(Self.other, holding: [], wanting: [], own: [], for: Self.long)
      #expect(try await claim("a", store.of(Self.one)) == .claimed)
      #expect(try await claim("b", store.of(Self.other)) == .claimed)
      #expect(try await claim("a", store.of(Self.other)) == .underWay)
      try await RawDatabase(fixture.database.location).execute("UPDATE replica SET seen_at = 0 WHERE name = 'one'")
      let beat = try await store.beat(Self.other, holding: [], wanting: [], own: [], for: Self.long)
      #expect(beat.dead == [Self.one] && beat.replicaCount == 1)
      #expect(try await claim("a", store.of(Self.other)) == .claimed)
      #expect(try await claim("b", store.of(Self.other)) == .underWay)
    }
  }

  @Test("So many wrong tries, whoever counts them and however many come at once")
  func wrongTries() async throws {
    try await withStore { fixture in
      let stores = [try await fixture.database.open(), try await fixture.database.open()]
      @Sendable func begin(_ number: Int, at now: Timestamp = Fixture.now) async throws -> String? {
        try await stores[number % 2].beginTry(about: "account 1", atMost: 5, within: .seconds(60), at: now)
      }
      let names = try await withThrowingTaskGroup(of: String?.self) { group in
        for number in 0..<20 { group.addTask { try await begin(number) } }
        return try await group.reduce(into: []) { names, name in names.append(name) }.compactMap(\.self)
      }
      #expect(names.count == 5)
      try await stores[0].forgetTry(names[0])
      #expect(try await begin(1) != nil)
      #expect(try await begin(0) == nil)
      #expect(try await stores[0].beginTry(about: "account 2", atMost: 5, within: .seconds(60), at: Fixture.now) != nil)
      #expect(try await begin(0, at: Fixture.now + .seconds(60)) != nil)
    }
  }

  @Test("Wrong tries of a time when the clock was ahead keep nobody out when it is right again")
  func wrongTriesAhead() async throws {
    try await withStore { fixture async throws in
      func begin(after time: Duration) async throws -> String? {
        try await fixture.store.beginTry(
          about: "account 1", atMost: 20, within: .seconds(3600), at: Fixture.now + time)
      }
      let year = Duration.seconds(365 * 86_400)
      for _ in 1...20 { #expect(try await begin(after: year) != nil) }
      #expect(try await begin(after: year) == nil)
      #expect(try await begin(after: .zero) != nil)
      #expect(try await fixture.raw.number("SELECT COUNT(*) FROM wrong_try") == 1)
      // Those of a service whose clock is a minute ahead count.
      for _ in 2...20 { #expect(try await begin(after: .seconds(60)) != nil) }
      #expect(try await begin(after: .zero) == nil)
    }
  }

  @Test("A bucket drips for all of them together")
  func attempts() async throws {
    try await withStore { fixture in
      let stores = [try await fixture.database.open(), try await fixture.database.open()]
      func take(_ client: String, in store: Int, after time: Duration = .zero) async throws -> Duration? {
        try await stores[store].takeAttempt(of: client, perMinute: 6, at: Fixture.now + time)
      }
      for number in 0..<6 { #expect(try await take("a", in: number % 2) == nil) }
      #expect(try await take("a", in: 0) == .seconds(10))
      #expect(try await take("b", in: 1) == nil)
      #expect(try await take("a", in: 1, after: .seconds(9)) == .seconds(1))
      #expect(try await take("a", in: 1, after: .seconds(10)) == nil)
      #expect(try await take("a", in: 0, after: .seconds(10)) == .seconds(10))
      // After a clock that was set back nobody waits for hours.
      #expect(try await take("a", in: 0, after: .zero - Self.long) == .seconds(10))
    }
  }

  @Test("A ticket of a console is used once, by whoever comes first")
  func tickets() async throws {
    try await withStore { fixture in
      let server = try await fixture.create()
      let stores = [try await fixture.database.open(), try await fixture.database.open()]
      let grant = ConsoleGrant(
        serverID: server.id, accountID: fixture.caller.accountID, tokenID: fixture.caller.tokenID)
      for (number, name) in ["a", "b", "c"].enumerated() {
        try await stores[0].keep(
          grant, ticketHash: name, until: Fixture.now + .seconds(60 + Int64(number)), atMost: 2, at: Fixture.now)
      }
      #expect(try await stores[1].useConsoleTicket(hash: "a", at: Fixture.now) == nil)
      let used = try await withThrowingTaskGroup(of: ConsoleGrant?.self) { group in
        for number in 0..<10 {
          group.addTask { try await stores[number % 2].useConsoleTicket(hash: "b", at: Fixture.now) }
        }
        return try await group.reduce(into: []) { grants, grant in grants.append(grant) }.compactMap(\.self)
      }
      #expect(used == [grant])
      #expect(try await stores[1].useConsoleTicket(hash: "c", at: Fixture.now + .seconds(62)) == nil)
    }
  }

  @Test("Who waits for a second factor has as many tries, at whichever service")
  func pendingSignIns() async throws {
    try await withStore { fixture in
      let stores = [try await fixture.database.open(), try await fixture.database.open()]
      let limits = PendingSignInLimits(inAll: 3, ofOne: 2, tries: 4)
      func keep(_ hash: String, _ email: String) async throws -> PendingSignIn {
        let pending = PendingSignIn(email: email, claim: .password(hash: "$y$"))
        let age = Duration.seconds(Int64(hash.utf8.first ?? 0))
        try await stores[0].keep(pending, hash: hash, until: Fixture.now + age, limits: limits, at: Fixture.now)
        return pending
      }
      func attempt(_ hash: String, _ number: Int = 0, at now: Timestamp = Fixture.now) async throws -> PendingSignIn? {
        try await stores[number % 2].tryPendingSignIn(hash: hash, limits: limits, at: now)
      }
      let first = try await keep("a", "a@example.com")
      for number in 0..<4 { #expect(try await attempt("a", number) == first) }
      #expect(try await attempt("a") == nil)
      let link = PendingSignIn(email: "b@example.com", claim: .link(TokenHash(hexadecimal: "x"), ID(1)))
      try await stores[1].keep(link, hash: "b", until: Fixture.now + .seconds(60), limits: limits, at: Fixture.now)
      #expect(try await attempt("b", at: Fixture.now + .seconds(60)) == nil)
      #expect(try await attempt("b") == link)
      try await stores[0].forgetPendingSignIn(hash: "b")
      #expect(try await attempt("b", 1) == nil)
      for hash in ["c", "d", "e"] { _ = try await keep(hash, "c@example.com") }
      #expect(try await attempt("c") == nil)
      #expect(try await attempt("d") != nil)
      for hash in ["f", "g"] { _ = try await keep(hash, "\(hash)@example.com") }
      #expect(try await attempt("d") == nil, "the oldest of all goes")
      #expect(try await attempt("e") != nil)
    }
  }

  @Test("All services have the key of the one that came first")
  func key() async throws {
    try await withStore { fixture in
      let store = try await fixture.database.open()
      #expect(try await store.settle(keyFingerprint: "a") == "a")
      #expect(try await fixture.database.open().settle(keyFingerprint: "b") == "a")
    }
  }
}

/// What holds for a server of PostgreSQL, whichever database the other suites are on.
@Suite("Services that tell each other")
struct PostgreSQLListenerTests {
  private actor Ear {
    private let changes: AsyncStream<StoreChange>

    init(_ changes: AsyncStream<StoreChange>) {
      self.changes = changes
    }

    func next() async -> StoreChange? { await changes.first { _ in true } }
  }

  @Test(
    "What another service commits is heard, what is its own is not, and after a lost connection all is to be looked at",
    .timeLimit(.minutes(5)))
  func changes() async throws {
    let database = try await TestPostgreSQL.Database()
    let (store, other) = (
      try await SQLStore.open(.server(database.address)), try await SQLStore.open(.server(database.address))
    )
    let installation = NewInstallation(
      catalogue: .initial, email: "first@example.com", openingCredit: Fixture.openingCredit, tokenName: "initial",
      tokenHash: TokenHash(hexadecimal: "hash"))
    #expect(try await store.bootstrap(installation, at: Fixture.now))
    let host = HostDeclaration(name: HostDeclaration.localName, location: nil, driver: "simulated")
    let hosts = try await store.registerHosts([host], at: Fixture.now)
    try await store.recordAnswer(of: hosts[0].id, capacity: nil)
    let caller = Caller(try #require(try await store.token(hash: installation.tokenHash)))
    let heard = Ear(store.changesElsewhere())
    #expect(await heard.next() == .unknown)
    func create(_ name: String, _ store: SQLStore) async throws -> Server {
      let server = NewServer(
        uuid: UUID(), accountID: caller.accountID, name: ServerName(name)!, hostname: Hostname(name)!,
        plan: Catalogue.initial.plans[2], operatingSystemID: ID(3), location: "us-west", isBackupEnabled: false,
        sshKeyID: nil, rootPasswordHash: nil)
      return try await store.createServer(
        server, pools: .init(AddressPool("127.80.0.0/16")!, ipv6: nil), by: caller, at: Fixture.now)
    }
    _ = try await create("own", store)
    let foreign = try await create("foreign", other)
    #expect(await heard.next() == .server(foreign.id, on: hosts[0].id))
    try await other.leave(Replica(name: "other"))
    #expect(await heard.next() == .duty)
    try await other.recordAway(hosts[0].id, since: Fixture.now)
    #expect(await heard.next() == .host)
    try await other.recordAnswer(of: hosts[0].id, capacity: nil)
    #expect(await heard.next() == .host)
    try RawPostgreSQL(database.url).execute(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    #expect(await heard.next() == .unknown)
    let last = try await create("last", other)
    #expect(await heard.next() == .server(last.id, on: hosts[0].id))
  }

  @Test("A service that hears more changes than it can keep learns that it has missed some", .timeLimit(.minutes(5)))
  func missed() async throws {
    let database = try await TestPostgreSQL.Database()
    let store = try await SQLStore.open(.server(database.address))
    var heard = store.changesElsewhere().makeAsyncIterator()
    #expect(await heard.next() == .unknown)
    try RawPostgreSQL(database.url).execute(
      "SELECT pg_notify('vpsd', number || ' 1') FROM generate_series(1, 5000) AS number")
    // It hears all of them, or that there were more.
    var count = 0
    while count < 5000, await heard.next() != .unknown { count += 1 }
  }

  @Test("Services that share a database are beside each other, and not beside one that has it alone")
  func locks() async throws {
    let database = try await TestPostgreSQL.Database()
    let location = DatabaseLocation.server(database.address)
    let (one, other) = (
      try await SQLStore.open(location, as: .besideOthers), try await SQLStore.open(location, as: .besideOthers)
    )
    await #expect(throws: DatabaseIsServed.self) { try await SQLStore.open(location, as: .alone) }
    try one.release()
    try other.release()
    let alone = try await SQLStore.open(location, as: .alone)
    await #expect(throws: DatabaseIsServed.self) { try await SQLStore.open(location, as: .besideOthers) }
    try alone.release()
  }
}
