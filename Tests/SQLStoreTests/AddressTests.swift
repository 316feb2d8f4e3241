import Core
import TestSupport
import Testing

@testable import SQLStore

@Suite struct AddressTests {
  let tiny = AddressPool("127.80.0.0/29")!  // .1 to .6

  @Test("A pool of six addresses serves six servers, and no seventh")
  func exhaustion() async throws {
    try await withStore { fixture in
      var given: [IPv4Address?] = []
      for _ in 1...6 { given.append(try await fixture.create(pool: tiny).address) }
      #expect(given == (1...6).map { IPv4Address("127.80.0.\($0)") })
      let refused = await failure { _ = try await fixture.create(pool: tiny) }
      #expect(refused?.code == .noCapacity)
      #expect(refused?.message == "No free address at us-west.")
      #expect(try await fixture.store.allServers().count == 6)
    }
  }

  @Test("An address comes back when its server is erased, and is the last to be given again")
  func reuse() async throws {
    try await withStore { fixture in
      let first = try await fixture.create(pool: tiny)
      try await fixture.erase(first)
      var next: [IPv4Address?] = []
      for _ in 1...6 {
        next.append(try await fixture.create(pool: tiny).address)
      }
      #expect(next == (2...6).map { IPv4Address("127.80.0.\($0)") } + [IPv4Address("127.80.0.1")])
    }
  }

  @Test("The only free address of a full pool is found, after the last one given and before it")
  func gap() async throws {
    try await withStore { fixture in
      var servers: [Server] = []
      for _ in 1...6 { servers.append(try await make(fixture)) }
      for freed in [servers[3], servers[4], servers[0]] {
        #expect(await failure { _ = try await fixture.create(pool: tiny) }?.code == .noCapacity)
        try await fixture.erase(freed)
        #expect(try await make(fixture).address == freed.address)
      }
    }
  }

  @Test("A pool of sixteen million addresses is as good as a small one")
  func large() async throws {
    try await withStore { fixture in
      let pool = AddressPool("127.0.0.0/8")!
      let first = try await fixture.create(pool: pool)
      #expect(first.address == IPv4Address("127.0.0.1"))
      let second = try await fixture.create(pool: pool)
      #expect(second.address == IPv4Address("127.0.0.2"))
    }
  }

  @Test("An address that something else uses is replaced by the next, only under the lease")
  func replace() async throws {
    try await withStore { fixture in
      let server = try await fixture.create(pool: tiny)
      let lease = try await fixture.claim(.create)
      let second = IPv4Address("127.80.0.2")!
      func replace() async throws -> ServerAddress? {
        try await fixture.store.replaceAddress(.ipv4, of: server.id, pools: .init(tiny), lease: lease, at: Fixture.now)
      }
      #expect(try await replace() == .ipv4(second))
      #expect(try await fixture.reread(server).address == second)
      _ = try await fixture.store.commit(StepOutcome(.succeed), of: lease, at: Fixture.now)
      #expect(try await replace() == nil)
      #expect(try await fixture.reread(server).address == second)
      #expect(try await fixture.create(pool: tiny).address == IPv4Address("127.80.0.3"))
    }
  }

  @Test("A released address is given again after all others, and of those the one that rested longest")
  func rest() async throws {
    try await withStore { fixture in
      var servers: [Server] = []
      for _ in 1...6 { servers.append(try await make(fixture)) }
      for (seconds, index) in [3, 1, 4].enumerated() {
        try await fixture.erase(servers[index], at: Fixture.now + .seconds(seconds))
      }
      for index in [3, 1, 4] { #expect(try await make(fixture).address == servers[index].address) }
    }
  }

  @Test("A pool of several parts gives all of them, and nothing that is reserved")
  func parts() async throws {
    try await withStore { fixture in
      let pool = try #require(
        AddressPool(["127.80.0.0/30", "127.90.0.10-127.90.0.13"], reserved: ["127.80.0.2", "127.90.0.11-127.90.0.12"]))
      var given: [String?] = []
      for _ in 1...3 { given.append(try await fixture.create(pool: pool).address?.description) }
      #expect(given == ["127.80.0.1", "127.90.0.10", "127.90.0.13"])
      #expect(await failure { _ = try await fixture.create(pool: pool) }?.code == .noCapacity)
    }
  }

  @Test("Who had an address from when to when is known for 400 days after that")
  func history() async throws {
    try await withStore { fixture in
      let pool = try #require(AddressPool(["127.80.0.1-127.80.0.1"]))
      let (first, day) = (try await fixture.create(pool: pool), Duration.seconds(24 * 3600))
      let address = try #require(first.address)
      try await fixture.finish(.create)
      try await fixture.erase(first, at: Fixture.now + day)
      let second = try await fixture.create(pool: pool, at: Fixture.now + day * 2)
      #expect(second.address == address)
      let tenures = try await fixture.store.tenures(of: .ipv4(address), newest: 10)
      #expect(tenures.map(\.serverID) == [second.id, first.id])
      #expect(tenures.map(\.assignedAt) == [Fixture.now + day * 2, Fixture.now])
      #expect(tenures.map(\.releasedAt) == [nil, Fixture.now + day])
      let known = try await fixture.store.addresses(after: nil, limit: 10)
      #expect(known.map(\.serverID) == [second.id])
      #expect(try await fixture.store.addresses(after: .ipv4(address), limit: 10).isEmpty)
      try await fixture.finish(.create, at: Fixture.now + day * 3)
      try await fixture.erase(second, at: Fixture.now + day * 402)
      #expect(try await fixture.store.tenures(of: .ipv4(address), newest: 10).map(\.serverID) == [second.id])
      #expect(try await fixture.contradictions() == [])
    }
  }

  @Test("Who had an address is not forgotten because a clock is years ahead")
  func historyWhileInDoubt() async throws {
    try await withStore { fixture in
      #expect(try await fixture.store.judgeBillingClock(at: Fixture.now, after: .zero) == .trusted)
      let (first, second) = (try await fixture.activeServer(), try await fixture.activeServer())
      let address = try #require(first.address)
      try await fixture.erase(first, at: Fixture.now + .seconds(60))
      try await fixture.erase(second, at: Fixture.now + .seconds(1000 * 86_400))
      #expect(try await fixture.store.tenures(of: .ipv4(address), newest: 10).map(\.serverID) == [first.id])
    }
  }

  @Test(
    "A server has a network of IPv6 beside its address, until it is erased; then others have it, and it is known who had it"
  )
  func networks() async throws {
    try await withStore { fixture in
      let pool = try #require(IPv6Pool("2001:db8:10::/62"))
      var servers: [Server] = []
      for _ in 1...3 { servers.append(try await fixture.activeServer(pool6: pool)) }
      #expect(servers.map { $0.ipv6Network?.description } == (1...3).map { "2001:db8:10:\($0)::/64" })
      #expect(servers[0].address == IPv4Address("127.80.0.1"))
      #expect(await failure { _ = try await fixture.create(pool6: pool) }?.code == .noCapacity)
      // Nothing is left of what was refused.
      #expect(try await fixture.store.addresses(after: nil, limit: 10).count == 6)
      #expect(try await fixture.activeServer().ipv6Network == nil)

      try await fixture.erase(servers[1], at: Fixture.now + .seconds(60))
      let network = try #require(servers[1].ipv6Network)
      #expect(try await fixture.reread(servers[0]).ipv6Network == servers[0].ipv6Network)
      let heir = try await fixture.create(pool6: pool, at: Fixture.now + .seconds(120))
      #expect(heir.ipv6Network == network)
      let tenures = try await fixture.store.tenures(of: .ipv6(network), newest: 10)
      #expect(tenures.map(\.serverID) == [heir.id, servers[1].id])
      #expect(tenures.map(\.releasedAt) == [nil, Fixture.now + .seconds(60)])
      let known = try await fixture.store.addresses(after: .ipv6(network), limit: 10)
      #expect(known.map(\.address.description) == ["2001:db8:10:3::/64"])
      #expect(try await fixture.contradictions() == [])
    }
  }

  @Test("Another address instead of one that something else uses leaves what is of the other family as it is")
  func replaceBesideNetwork() async throws {
    try await withStore { fixture in
      let pools = AddressPools.Pair(tiny, ipv6: IPv6Pool("fd00:1::/62"))
      let server = try await fixture.create(pool: pools.ipv4, pool6: pools.ipv6)
      let lease = try await fixture.claim(.create)
      func replace(_ family: ServerAddress.Family, of pools: AddressPools.Pair) async throws -> String? {
        try await fixture.store.replaceAddress(
          family, of: server.id, pools: pools, lease: lease, at: Fixture.now)?.description
      }
      #expect(try await replace(.ipv4, of: pools) == "127.80.0.2")
      var now = try await fixture.reread(server)
      #expect(now.address == IPv4Address("127.80.0.2") && now.ipv6Network?.description == "fd00:1:0:1::/64")
      #expect(try await replace(.ipv6, of: pools) == "fd00:1:0:2::/64")
      now = try await fixture.reread(server)
      #expect(now.address == IPv4Address("127.80.0.2") && now.addresses.ipv6.map(\.description) == ["fd00:1:0:2::/64"])
      #expect(try await replace(.ipv6, of: .init(tiny)) == nil)
      #expect(try await replace(.ipv6, of: pools) == "fd00:1:0:3::/64")
      #expect(try await fixture.contradictions() == [])
    }
  }

  @Test("A pool of networks that was one of single addresses before gives the networks without such an address")
  func networksInsteadOfSingles() async throws {
    try await withStore { fixture in
      let (singles, networks) = (IPv6Pool("2001:db8:0:1::/65"), try #require(IPv6Pool("2001:db8::/62")))
      let former = try await fixture.activeServer(pool6: singles)
      #expect(former.addresses.ipv6.map(\.description) == ["2001:db8:0:1::1"])
      for number in 2...3 {
        let server = try await fixture.activeServer(pool6: networks)
        #expect(server.addresses.ipv6.map(\.description) == ["2001:db8:0:\(number)::/64"])
      }
      let refused = await failure { _ = try await fixture.create(pool6: networks) }
      #expect(refused?.code == .noCapacity && refused?.message == "No free address at us-west.")
      try await fixture.erase(former)
      let heir = try await fixture.activeServer(pool6: networks)
      #expect(heir.addresses.ipv6.map(\.description) == ["2001:db8:0:1::/64"])
      #expect(try await fixture.contradictions() == [])
    }
  }

  @Test("A pool of single addresses in a network that a server has is full, for a new server and for one being made")
  func singlesInsteadOfNetworks() async throws {
    try await withStore { fixture in
      let (networks, singles) = (IPv6Pool("2001:db8:10::/62"), try #require(IPv6Pool("2001:db8:10:1::/65")))
      let former = try await fixture.activeServer(pool6: networks)
      #expect(former.addresses.ipv6.map(\.description) == ["2001:db8:10:1::/64"])
      let refused = await failure { _ = try await fixture.create(pool6: singles) }
      #expect(refused?.code == .noCapacity && refused?.message == "No free address at us-west.")
      let server = try await fixture.create(pool6: networks)
      let lease = try await fixture.claim(.create)
      let pools = AddressPools.Pair(fixture.pool, ipv6: singles)
      let other = try await fixture.store.replaceAddress(
        .ipv6, of: server.id, pools: pools, lease: lease, at: Fixture.now)
      #expect(other == nil)
      #expect(try await fixture.reread(server).addresses == server.addresses)
      #expect(try await fixture.contradictions() == [])
    }
  }

  @Test("No two servers ever have one address of a network card, however the dice fall")
  func hardwareAddresses() async throws {
    try await withStore { fixture in
      let server = try await fixture.create()
      let taken = try #require(server.machine.hardwareAddress)
      #expect(taken.description.hasPrefix("56:"))
      #expect(try await fixture.create().machine.hardwareAddress != taken)
      for _ in 1...2 { try await fixture.finish(.create) }
      try await fixture.erase(server)
      // Those of servers that are gone, too.
      let store = try #require(fixture.store as? SQLStore)
      let drawn = try await store.read { database in
        var dice = [HardwareAddress(number: 7), taken, taken]
        return try database.unusedHardwareAddress { dice.removeLast() }
      }
      #expect(drawn == HardwareAddress(number: 7))
    }
  }

  @Test("After the last one that was given come those behind it, and then those before it")
  func order() throws {
    func range(_ first: String, _ last: String) throws -> ClosedRange<IPv4Address> {
      try #require(IPv4Address(first))...(try #require(IPv4Address(last)))
    }
    let pool = GivenRanges(
      ranges: [try range("10.0.0.1", "10.0.0.3"), try range("10.0.0.7", "10.0.0.9")], cursorKey: "")
    #expect(pool.ranges(after: nil) == pool.ranges)
    #expect(
      try pool.ranges(after: IPv4Address("10.0.0.8")) == [
        range("10.0.0.9", "10.0.0.9"), range("10.0.0.1", "10.0.0.3"), range("10.0.0.7", "10.0.0.8"),
      ])
    #expect(pool.ranges(after: IPv4Address("10.0.0.9")) == pool.ranges)
    #expect(pool.ranges(after: IPv4Address("192.0.2.1")) == pool.ranges)
    #expect(pool.ranges(after: IPv4Address("255.255.255.255")) == pool.ranges)
  }

  private func make(_ fixture: Fixture) async throws -> Server {
    let server = try await fixture.create(pool: tiny)
    try await fixture.finish(.create)
    return server
  }
}
