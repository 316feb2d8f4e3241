import Core
import Foundation
import TestSupport
import Testing

@testable import SQLStore

@Suite("A server has several addresses")
struct SeveralAddressesTests {
  private let pools = AddressPools.Pair(AddressPool("127.80.0.0/29")!, ipv6: IPv6Pool("2001:db8:10::/62"))

  private func add(
    _ wanted: WantedAddress = .next(.ipv4), to server: Server, pools: AddressPools.Pair? = nil, limit: Int = 16,
    _ fixture: Fixture, at now: Timestamp = Fixture.now
  ) async throws -> String? {
    try await fixture.store.addAddress(wanted, to: server.id, pools: pools ?? self.pools, limit: limit, at: now)?
      .address.description
  }

  private func exactly(_ text: String, rested: Duration = .zero) throws -> WantedAddress {
    .exactly(try #require(ServerAddress(text)), rested: rested)
  }

  private func addresses(_ server: Server, _ fixture: Fixture) async throws -> [String] {
    try await fixture.reread(server).addresses.all.map(\.description)
  }

  /// As the host does that has let go of what the server has no more.
  private func readdress(_ server: Server, _ fixture: Fixture, at now: Timestamp = Fixture.now) async throws {
    let lease = try await fixture.claim(.readdress, at: now)
    let addresses = try await fixture.reread(server).addresses
    try await fixture.store.recordAddresses(addresses, of: server.id, lease: lease, at: now)
    _ = try await fixture.store.commit(StepOutcome(.succeed), of: lease, at: now)
  }

  @Test("A network and an address in it are never given both, though the pool was another before")
  func apart() async throws {
    try await withStore { fixture in
      let server = try await fixture.activeServer(pool6: pools.ipv6)
      let single = AddressPools.Pair(pools.ipv4, ipv6: IPv6Pool("2001:db8:10:1::/64"))
      await #expect(throws: Failure.self) {
        _ = try await add(exactly("2001:db8:10:1::7"), to: server, pools: single, fixture)
      }
      let other = AddressPools.Pair(pools.ipv4, ipv6: IPv6Pool("2001:db8:10:2::/64"))
      #expect(try await add(exactly("2001:db8:10:2::7"), to: server, pools: other, fixture) == "2001:db8:10:2::7")
      await #expect(throws: Failure.self) { _ = try await add(exactly("2001:db8:10:2::/64"), to: server, fixture) }
      #expect(try await addresses(server, fixture) == ["127.80.0.1", "2001:db8:10:1::/64", "2001:db8:10:2::7"])
    }
  }

  @Test("The first stays the first, whatever the clock says, until it is taken away: then it is the next")
  func order() async throws {
    try await withStore { fixture in
      let server = try await fixture.activeServer(pool6: pools.ipv6)
      #expect(try await addresses(server, fixture) == ["127.80.0.1", "2001:db8:10:1::/64"])
      let earlier = Fixture.now - .seconds(86_400)
      #expect(try await add(to: server, fixture, at: earlier) == "127.80.0.2")
      #expect(try await add(.next(.ipv6), to: server, fixture, at: earlier) == "2001:db8:10:2::/64")
      #expect(try await add(exactly("2001:db8:10:3::99"), to: server, fixture) == "2001:db8:10:3::/64")
      #expect(
        try await addresses(server, fixture) == [
          "127.80.0.1", "127.80.0.2", "2001:db8:10:1::/64", "2001:db8:10:2::/64", "2001:db8:10:3::/64",
        ])
      let seen = try await fixture.reread(server)
      #expect(seen.address?.description == "127.80.0.1" && seen.addresses.revision == 3)
      // One operation brings all of them.
      #expect(try await fixture.store.operations(of: server.id).filter { $0.kind == .readdress }.count == 1)
      let first = try #require(ServerAddress("127.80.0.1"))
      _ = try await fixture.store.removeAddress(first, from: server.id, at: Fixture.now)
      #expect(try await fixture.reread(server).address?.description == "127.80.0.2")
      try await readdress(server, fixture)
      #expect(try await fixture.contradictions() == [])
      // What came back later is not the first again.
      #expect(try await add(exactly("127.80.0.1"), to: server, fixture) == "127.80.0.1")
      #expect(try await addresses(server, fixture).prefix(2) == ["127.80.0.2", "127.80.0.1"])
      let audit = try await fixture.store.addresses(after: nil, limit: 10)
      #expect(audit.count == 5 && audit.allSatisfy { $0.serverID == server.id })
    }
  }

  @Test(
    "What is taken from a server is nobody else's until its host has let go of it, and its history says who had it when"
  )
  func leaving() async throws {
    try await withStore { fixture in
      let (server, other) = (try await fixture.activeServer(), try await fixture.activeServer())
      let pool = AddressPools.Pair(try #require(AddressPool("127.80.0.0/30")))
      // Both have theirs of the larger pool.
      #expect(await failure { _ = try await add(to: server, pools: pool, fixture) }?.code == .noCapacity)
      #expect(try await add(to: server, fixture) == "127.80.0.3")
      let address = try #require(ServerAddress("127.80.0.3"))
      _ = try await fixture.store.removeAddress(address, from: server.id, at: Fixture.now)
      let again = await failure { _ = try await fixture.store.removeAddress(address, from: server.id, at: Fixture.now) }
      #expect(again?.code == .conflict)
      let early = await failure { _ = try await add(exactly("127.80.0.3"), to: other, fixture) }
      #expect(early?.message.contains("still being taken from the server \(server.id)") == true)
      let lease = try await fixture.claim(.readdress)
      // A word that comes too late changes nothing.
      let lost = Lease(operation: lease.operation, token: UUID())
      let seen = try await fixture.reread(server).addresses
      try await fixture.store.recordAddresses(seen, of: server.id, lease: lost, at: Fixture.now)
      #expect(try await fixture.reread(server).addresses.leaving == [address] && !seen.isApplied)
      try await fixture.store.recordAddresses(seen, of: server.id, lease: lease, at: Fixture.now + .seconds(5))
      #expect(try await fixture.reread(server).addresses.isApplied)
      _ = try await fixture.store.commit(StepOutcome(.succeed), of: lease, at: Fixture.now + .seconds(5))
      #expect(try await add(exactly("127.80.0.3"), to: other, fixture, at: Fixture.now + .seconds(9)) == "127.80.0.3")
      let tenures = try await fixture.store.tenures(of: address, newest: 10)
      #expect(tenures.map(\.serverID) == [other.id, server.id])
      #expect(tenures.map(\.releasedAt) == [nil, Fixture.now + .seconds(5)])
      #expect(try await fixture.contradictions() == [])
    }
  }

  @Test("Whatever cannot be given or taken is refused in a sentence, and nothing is changed")
  func refused() async throws {
    try await withStore { fixture in
      let (server, other) = (try await fixture.activeServer(), try await fixture.activeServer())
      try await fixture.store.reserveAddresses(
        [#require(ServerAddress("127.80.0.5"))], at: ["us-west"], at: Fixture.now)
      let before = try await (fixture.reread(server), fixture.store.operations(of: server.id).count)
      func refusal(_ wanted: WantedAddress, limit: Int = 16) async -> String? {
        await failure { _ = try await add(wanted, to: server, limit: limit, fixture) }?.message
      }
      #expect(try await refusal(exactly("127.80.0.1")) == "The server \(server.id) has 127.80.0.1 already.")
      #expect(try await refusal(exactly("127.80.0.2")) == "127.80.0.2 is an address of the server \(other.id).")
      #expect(try await refusal(exactly("127.80.0.5"))?.hasPrefix("127.80.0.5 is reserved") == true)
      #expect(try await refusal(exactly("192.0.2.1"))?.hasPrefix("192.0.2.1 is in no pool of us-west") == true)
      #expect(try await refusal(exactly("127.80.0.7"))?.contains("in no pool") == true)
      #expect(await refusal(.next(.ipv4), limit: 1)?.contains("has 1 addresses, and may have no more") == true)
      let bare = AddressPools.Pair(pools.ipv4)
      #expect(
        await failure { _ = try await add(.next(.ipv6), to: server, pools: bare, fixture) }?.message
          == "There is no IPv6 at us-west: address_pool6.")
      func removal(_ text: String) async throws -> Failure? {
        let address = try #require(ServerAddress(text))
        return await failure {
          _ = try await fixture.store.removeAddress(address, from: server.id, at: Fixture.now)
        }
      }
      #expect(
        try await removal("127.80.0.1")?.message
          == "127.80.0.1 is the only IPv4 address of the server \(server.id), which keeps one.")
      let foreign = try await removal("127.80.0.2")
      #expect(foreign?.code == .notFound && foreign?.message.hasSuffix("but of the server \(other.id).") == true)
      #expect(try await removal("2001:db8::1")?.code == .notFound)
      #expect(try await fixture.reread(server) == before.0)
      #expect(try await fixture.store.operations(of: server.id).count == before.1)
      try await fixture.erase(other)
      #expect(try await add(to: other, fixture) == nil)
      #expect(
        try await fixture.store.removeAddress(#require(ServerAddress("127.80.0.2")), from: other.id, at: Fixture.now)
          == nil)
      #expect(try await fixture.contradictions() == [])
    }
  }

  @Test("A server that is erased has none of them any more, those neither that were still leaving")
  func erased() async throws {
    try await withStore { fixture in
      let server = try await fixture.activeServer(pool6: pools.ipv6)
      for wanted in [WantedAddress.next(.ipv4), .next(.ipv4), .next(.ipv6)] {
        _ = try await add(wanted, to: server, fixture)
      }
      _ = try await fixture.store.removeAddress(#require(ServerAddress("127.80.0.2")), from: server.id, at: Fixture.now)
      try await fixture.erase(server)
      let known = try await fixture.store.addresses(after: nil, limit: 10)
      #expect(known.count == 5 && known.allSatisfy { $0.serverID == nil && !$0.isLeaving })
      #expect(try await fixture.contradictions() == [])
    }
  }

  @Test("While a server is made, another address in the place of its first leaves the others as they are")
  func replaced() async throws {
    try await withStore { fixture in
      let server = try await fixture.create(pool: pools.ipv4)
      #expect(try await add(to: server, fixture) == "127.80.0.2")
      let lease = try await fixture.claim(.create)
      let replaced = try await fixture.store.replaceAddress(
        .ipv4, of: server.id, pools: pools, lease: lease, at: Fixture.now)
      #expect(replaced?.description == "127.80.0.3")
      #expect(try await addresses(server, fixture) == ["127.80.0.3", "127.80.0.2"])
    }
  }

  @Test("A reserved address is given to nobody, whether nobody has had it or somebody has, until it is released")
  func reserved() async throws {
    try await withStore { fixture in
      let server = try await fixture.activeServer()
      let (own, next) = (try #require(ServerAddress("127.80.0.1")), try #require(ServerAddress("127.80.0.2")))
      try await fixture.store.reserveAddresses([own, next], at: ["us-west", "us-west"], at: Fixture.now)
      #expect(try await fixture.reread(server).address?.description == "127.80.0.1")
      try await fixture.erase(server)
      for last in 3...6 {
        #expect(try await fixture.create(pool: pools.ipv4).address?.description == "127.80.0.\(last)")
      }
      #expect(await failure { _ = try await fixture.create(pool: pools.ipv4) }?.code == .noCapacity)
      let wrong = try #require(ServerAddress("127.80.0.3"))
      #expect(
        await failure { try await fixture.store.endReservation(of: [own, wrong], at: Fixture.now) }?.message
          == "127.80.0.3 is not reserved.")
      #expect(try await fixture.store.addresses(after: nil, limit: 10).filter(\.isReserved).count == 2)
      try await fixture.store.endReservation(of: [own, next], at: Fixture.now)
      // Nobody has ever had it.
      #expect(try await fixture.create(pool: pools.ipv4).address?.description == "127.80.0.2")
      #expect(try await fixture.create(pool: pools.ipv4).address?.description == "127.80.0.1")
      #expect(try await fixture.contradictions() == [])
    }
  }

  @Test(
    "A pool of 64 bits or more gives single addresses, over the middle of its numbers too, and the longest released last"
  )
  func singles() async throws {
    try await withStore { fixture in
      let pool = try #require(IPv6Pool("2001:db8:10::7fff:ffff:ffff:fffc/126"))
      let middle = try #require(IPv6Pool("2001:db8:11::/64"))
      var servers: [Server] = []
      for _ in 1...3 { servers.append(try await fixture.activeServer(pool6: pool)) }
      #expect(
        servers.map { $0.ipv6Network?.description } == ["d", "e", "f"].map { "2001:db8:10:0:7fff:ffff:ffff:fff\($0)" })
      #expect(await failure { _ = try await fixture.create(pool6: pool) }?.code == .noCapacity)
      try await fixture.erase(servers[1])
      let heir = try await fixture.create(pool6: pool)
      #expect(heir.ipv6Network == servers[1].ipv6Network)
      // The same numbers of another network are others; and beyond the middle it goes on.
      let pair = AddressPools.Pair(pools.ipv4, ipv6: middle)
      #expect(try await add(.next(.ipv6), to: servers[0], pools: pair, fixture) == "2001:db8:11::1")
      #expect(
        try await add(exactly("2001:db8:11::7fff:ffff:ffff:ffff"), to: servers[0], pools: pair, fixture)
          == "2001:db8:11:0:7fff:ffff:ffff:ffff")
      let raw = try #require(fixture.store as? SQLStore)
      _ = try await raw.write { database in
        try database.run(
          "UPDATE setting SET value = '2001:db8:11:0:7fff:ffff:ffff:fffe' WHERE key = 'address_cursor 2001:db8:11::/64'"
        )
      }
      #expect(try await add(.next(.ipv6), to: servers[0], pools: pair, fixture) == "2001:db8:11:0:8000::")
      let listed = try await fixture.store.addresses(after: nil, limit: 100).map(\.address)
      #expect(listed.suffix(3).map(\.description).first == "2001:db8:11::1")
      #expect(
        try await fixture.store.addresses(after: listed[listed.count - 2], limit: 9).map(\.address) == [listed.last])
      #expect(try await fixture.contradictions() == [])
    }
  }

  @Test(
    "An address that another account has released rests before it is given by its name; its own account has it at once")
  func rest() async throws {
    try await withStore { fixture in
      let former = try await fixture.activeServer()
      let stranger = try await fixture.stranger()
      let server = try await fixture.activeServer()
      let foreign = try await fixture.create(pool: pools.ipv4, by: stranger)
      try await fixture.finish(.create)
      try await fixture.erase(former)
      let hour = Duration.seconds(3600)
      let refused = await failure { _ = try await add(exactly("127.80.0.1", rested: hour), to: foreign, fixture) }
      #expect(refused?.code == .conflict && refused?.message.contains("rests until 2026-01-15T13:00:00Z") == true)
      #expect(try await fixture.store.addresses(after: nil, limit: 1)[0].restsUntil(hour, at: Fixture.now) != nil)
      // Of itself the pool gives it to others only where it has nothing else.
      for last in [4, 5, 6] { #expect(try await add(to: server, fixture) == "127.80.0.\(last)") }
      #expect(try await add(exactly("127.80.0.1", rested: hour), to: server, fixture) == "127.80.0.1")
      _ = try await fixture.store.removeAddress(#require(ServerAddress("127.80.0.1")), from: server.id, at: Fixture.now)
      try await readdress(server, fixture)
      #expect(
        try await add(exactly("127.80.0.1", rested: hour), to: foreign, fixture, at: Fixture.now + hour) == "127.80.0.1"
      )
    }
  }

  @Test("The exemption of an account is a change of all its servers' rules, and of nobody else's")
  func mail() async throws {
    try await withStore { fixture in
      let (server, other) = (try await fixture.activeServer(), try await fixture.activeServer())
      _ = try await fixture.store.setFirewall(
        Firewall(isEnabled: true, rules: []), of: other.id, expecting: nil, by: fixture.caller, at: Fixture.now)
      try await fixture.store.recordFirewall(1, appliedTo: other.id)
      var change = ProfileChange()
      change.mayMail = true
      for _ in 1...2 {
        #expect(try await fixture.store.updateProfile(of: fixture.caller.accountID, change, at: Fixture.now))
      }
      #expect(try await fixture.store.account(fixture.caller.accountID)?.mayMail == true)
      let waiting = try await fixture.store.serversAwaitingFirewall(on: Fixture.host, after: nil, limit: 10)
      #expect(waiting == [server.id, other.id])
      let (plain, closed) = (
        try await fixture.store.firewall(of: server.id), try await fixture.store.firewall(of: other.id)
      )
      #expect(plain?.mayMail == true && plain?.firewall == .disabled && plain?.revision == 1)
      #expect(closed?.mayMail == true && closed?.firewall.isEnabled == true && closed?.revision == 2)
      let stranger = try await fixture.stranger()
      let foreign = try await fixture.create(by: stranger)
      #expect(try await fixture.store.firewall(of: foreign.id)?.mayMail == false)
      #expect(try await fixture.contradictions() == [])
    }
  }
}
