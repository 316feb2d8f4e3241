import Core
import Engine
import Foundation
import Logging
import SQLStore
import TestSupport
import Testing

@Suite("Names of addresses, and the DNS server that is told of them")
struct ReverseNameTests {
  /// With a server that has IPv6, too, and of which everything was said.
  private func service() async throws -> (service: TestService, server: ID<Server>) {
    let service = try await TestService(addressPool6: IPv6Pool("2001:db8:10::/56"))
    let server = try await service.activeServer()
    await service.nameKeeper.pollOnce()
    return (service, server)
  }

  private func set(_ name: String?, of address: String = "127.80.0.1", _ server: ID<Server>, _ service: TestService)
    async throws
  {
    _ = try await service.reverseNames.change(server, .init(address: address, name: name), service.owner)
  }

  @Test("The default from the create on, the customer's while there is one, and the default again after a delete")
  func life() async throws {
    let (service, server) = try await service()
    #expect(service.zones.name(of: "127.80.0.1") == "127-80-0-1.vps.example.com")
    #expect(service.zones.name(of: "2001:db8:10:1::1") == "2001-db8-10-1-0-0-0-1.vps.example.com")
    try await set("Web.Example.com", server, service)
    try await set("web6.example.com", of: "2001:DB8:10:1:0::1", server, service)
    #expect(service.zones.name(of: "127.80.0.1") == "127-80-0-1.vps.example.com", "it is said by the keeper alone")
    await service.nameKeeper.pollOnce()
    #expect(service.zones.name(of: "127.80.0.1") == "web.example.com")
    #expect(service.zones.name(of: "2001:db8:10:1::1") == "web6.example.com")
    try await set(nil, server, service)
    await service.nameKeeper.pollOnce()
    #expect(service.zones.name(of: "127.80.0.1") == "127-80-0-1.vps.example.com")
    try await set("web.example.com", server, service)
    await service.nameKeeper.pollOnce()
    _ = try await service.servers.delete(server, service.owner)
    #expect(service.zones.name(of: "127.80.0.1") == "web.example.com")
    try await service.settle()
    await service.nameKeeper.pollOnce()
    #expect(service.zones.name(of: "127.80.0.1") == "127-80-0-1.vps.example.com")
    #expect(service.zones.name(of: "2001:db8:10:1::1") == "2001-db8-10-1-0-0-0-1.vps.example.com")
    let audit = try await service.database.auditTrail(newest: 100).filter { $0.action == "server.rdns" }
    #expect(
      audit.compactMap(\.detail) == [
        "127.80.0.1 web.example.com", "2001:db8:10:1::1 web6.example.com", "127.80.0.1 default",
        "127.80.0.1 web.example.com",
      ])
  }

  @Test("Nothing is said twice, and where nothing changes nothing is said")
  func once() async throws {
    let (service, server) = try await service()
    let said = service.zones.batches.count
    try await set("a.example.com", server, service)
    try await set("a.example.com", server, service)
    try await set("b.example.com", server, service)
    for _ in 0..<3 { await service.nameKeeper.pollOnce() }
    #expect(service.zones.batches.count == said + 1)
    try await set("b.example.com", server, service)
    await service.nameKeeper.pollOnce()
    #expect(service.zones.batches.count == said + 1)
  }

  @Test("250 changes at once are said at once")
  func many() async throws {
    let service = try await TestService()
    for number in 0..<84 {
      _ = try await service.servers.create(service.draft(name: "web-\(number)", plan: 3), service.owner)
    }
    try await service.settle(steps: 20_000)
    let servers = try await service.store.inventory().map(\.id)
    for server in servers {
      for _ in 0..<2 {
        _ = try await service.store.addAddress(
          .next(.ipv4), to: server, pools: service.pools, limit: 16, at: service.clock.now)
      }
    }
    await service.nameKeeper.pollOnce()
    let before = service.zones.batches.count
    #expect(service.zones.names.count == 252)
    for server in servers {
      for (number, element) in try await service.reverseNames.list(server, service.owner).enumerated() {
        try await set("n\(number).s\(server).example.com", of: element.address.description, server, service)
      }
    }
    await service.nameKeeper.pollOnce()
    #expect(Array(service.zones.batches[before...]) == [250, 2])
    #expect(service.zones.names.values.allSatisfy { $0.first?.hasSuffix(".example.com") == true && $0.count == 1 })
    #expect(Set(service.zones.names.values.flatMap { $0 }).count == 252)
  }

  @Test("A name waits while the server is away, which is asked ever less often, and is said when it is back")
  func away() async throws {
    let (service, server) = try await service()
    service.zones.trouble = .away
    try await set("web.example.com", server, service)
    for _ in 0..<100 {
      await service.nameKeeper.pollOnce()
      service.clock.advance(by: .seconds(60))
    }
    #expect(service.zones.name(of: "127.80.0.1") == "127-80-0-1.vps.example.com")
    service.zones.trouble = nil
    await service.nameKeeper.pollOnce()
    #expect(service.zones.name(of: "127.80.0.1") == "web.example.com")
  }

  @Test("A process that dies before or after it is heard loses nothing", arguments: PaperZones.Trouble.allCases)
  func death(trouble: PaperZones.Trouble) async throws {
    let (dead, server) = try await service()
    try await set("first.example.com", server, dead)
    dead.zones.trouble = trouble
    await dead.nameKeeper.pollOnce()
    // What its customer chose meanwhile is not lost with what was said before.
    try await set("second.example.com", server, dead)
    await dead.nameKeeper.pollOnce()
    dead.zones.trouble = nil
    let service = try await TestService(after: dead)
    await service.nameKeeper.pollOnce()
    #expect(service.zones.name(of: "127.80.0.1") == "second.example.com")
    let said = service.zones.batches.count
    await service.nameKeeper.pollOnce()
    #expect(service.zones.batches.count == said)
  }

  @Test("Whatever happens in whatever order, in the end each address is called what it should be", arguments: 0..<8)
  func anything(seed: UInt64) async throws {
    var random = SeededGenerator(seed: seed)
    var service = try await TestService(addressPool: AddressPool("127.80.0.0/28")!)
    var servers: [ID<Server>] = []
    for number in 0..<120 {
      service.zones.trouble = [nil, nil, .away, .deathBefore, .deathAfter].randomElement(using: &random)!
      switch Int.random(in: 0..<6, using: &random) {
      case 0 where servers.count < 8: servers.append(try await service.activeServer())
      case 1 where !servers.isEmpty:
        _ = try await service.servers.delete(
          servers.remove(at: Int.random(in: 0..<servers.count, using: &random)), service.owner)
        try await service.settle()
      case 2, 3:
        guard let server = servers.randomElement(using: &random) else { continue }
        let address = try await service.reverseNames.list(server, service.owner)[0].address
        try await set(
          Bool.random(using: &random) ? "n\(number).example.com" : nil, of: address.description, server, service)
      case 4: await service.nameKeeper.pollOnce()
      default:
        service = try await TestService(after: service)
        service.clock.advance(by: .seconds(Int.random(in: 0..<90, using: &random)))
      }
    }
    service.zones.trouble = nil
    service.clock.advance(by: .seconds(120))
    await service.nameKeeper.pollOnce()
    var wanted: [String: String] = [:]
    for record in try await service.store.addresses(after: nil, limit: 100) {
      let address = record.address.description
      wanted[address] = address.replacing(".", with: "-") + ".vps.example.com"
    }
    for server in servers {
      for element in try await service.reverseNames.list(server, service.owner) {
        wanted[element.address.description] = element.name?.name
      }
    }
    for (address, name) in wanted { #expect(service.zones.name(of: address) == name, "\(address)") }
    #expect(service.zones.names.count == wanted.count)
  }

  @Test("A name that is refused is tried again, later each time, and holds up no other")
  func refused() async throws {
    let (service, server) = try await service()
    let other = try await service.activeServer()
    await service.nameKeeper.pollOnce()
    let address = try #require(IPAddress("127.80.0.1"))
    service.zones.troubles = [address: .refused("REFUSED")]
    try await set("web.example.com", server, service)
    try await set("other.example.com", of: "127.80.0.2", other, service)
    await service.nameKeeper.pollOnce()
    #expect(service.zones.name(of: "127.80.0.2") == "other.example.com")
    let tries = service.zones.batches.count
    for _ in 0..<29 {
      service.clock.advance(by: .seconds(1))
      await service.nameKeeper.pollOnce()
    }
    #expect(service.zones.batches.count == tries)
    service.clock.advance(by: .seconds(1))
    await service.nameKeeper.pollOnce()
    #expect(service.zones.batches.count == tries + 1)
    service.clock.advance(by: .seconds(59))
    await service.nameKeeper.pollOnce()
    #expect(service.zones.batches.count == tries + 1)
    service.zones.troubles = [:]
    service.clock.advance(by: .seconds(1))
    await service.nameKeeper.pollOnce()
    #expect(service.zones.name(of: "127.80.0.1") == "web.example.com")
  }

  @Test(
    "A server that fails with a name is asked again soon, holds up no other, and has refused it only after a minute")
  func failed() async throws {
    let (service, server) = try await service()
    let other = try await service.activeServer()
    await service.nameKeeper.pollOnce()
    let address = try #require(IPAddress("127.80.0.1"))
    service.zones.troubles = [address: .failed("SERVFAIL")]
    try await set("web.example.com", server, service)
    try await set("other.example.com", of: "127.80.0.2", other, service)
    await service.nameKeeper.pollOnce()
    #expect(service.zones.name(of: "127.80.0.2") == "other.example.com")
    func waiting() async throws -> [WaitingName] {
      try await service.database.waitingNames(areRefused: false, after: nil, limit: 10)
    }
    for (attempts, pause) in [1, 2, 4, 8, 16, 32, 60, 60].enumerated() {
      let one = try await waiting()
      #expect(one.map(\.attempts) == [attempts + 1])
      #expect(one.map(\.failure) == [attempts < 6 ? nil : "SERVFAIL"], "after \(attempts + 1) attempts")
      service.clock.advance(by: .milliseconds(pause * 1000 - 1))
      await service.nameKeeper.pollOnce()
      #expect(try await waiting() == one)
      service.clock.advance(by: .milliseconds(1))
      await service.nameKeeper.pollOnce()
    }
    service.zones.troubles = [:]
    service.clock.advance(by: .seconds(60))
    await service.nameKeeper.pollOnce()
    #expect(service.zones.name(of: "127.80.0.1") == "web.example.com")
    #expect(try await waiting() == [])
  }

  @Test("What somebody else changes there is mended within the hour, and what is nobody's business is left alone")
  func drift() async throws {
    let (service, server) = try await service()
    try await set("web.example.com", server, service)
    let gone = try await service.activeServer()
    _ = try await service.servers.delete(gone, service.owner)
    try await service.settle()
    await service.nameKeeper.pollOnce()
    func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }
    // One that nobody was given yet, and one that is reserved.
    let gateway = try #require(ServerAddress("127.80.0.7"))
    try await service.store.reserveAddresses([gateway], at: ["us-west"], at: service.clock.now)
    service.zones.names = [
      try address("127.80.0.1"): ["web.example.com", "another.example.com"],
      try address("127.80.0.9"): ["mine.example.com"],
      try address("127.80.0.7"): ["gateway.example.com"],
    ]
    service.clock.advance(by: .seconds(3300))
    await service.nameKeeper.pollOnce()
    #expect(service.zones.name(of: "127.80.0.1") == "another.example.com web.example.com")
    service.clock.advance(by: .seconds(301))
    await service.nameKeeper.pollOnce()
    #expect(service.zones.name(of: "127.80.0.1") == "web.example.com")
    #expect(service.zones.name(of: "2001:db8:10:1::1") == "2001-db8-10-1-0-0-0-1.vps.example.com")
    #expect(service.zones.name(of: "127.80.0.2") == "127-80-0-2.vps.example.com")
    #expect(service.zones.name(of: "127.80.0.9") == "mine.example.com")
    #expect(service.zones.name(of: "127.80.0.7") == "gateway.example.com")
    #expect(service.zones.names.count == 6)
  }

  @Test("An installation that begins to say names says all that there are, and one that ends forgets what waits")
  func beginning() async throws {
    let service = try await TestService()
    let store = service.store
    try await store.setReverseNames(areSaid: false, at: service.clock.now)
    let server = try await service.activeServer()
    await service.nameKeeper.pollOnce()
    service.zones.names = [:]
    service.clock.advance(by: .seconds(60))
    await service.nameKeeper.pollOnce()
    #expect(service.zones.names.isEmpty)
    for _ in 0..<2 { try await store.setReverseNames(areSaid: true, at: service.clock.now) }
    await service.nameKeeper.pollOnce()
    #expect(service.zones.name(of: "127.80.0.1") == "127-80-0-1.vps.example.com")
    try await set("web.example.com", server, service)
    try await store.setReverseNames(areSaid: false, at: service.clock.now)
    #expect(try await store.locationsAwaitingNames(at: service.clock.now).isEmpty)
  }

  @Test("A location without a DNS server keeps nothing waiting, and one without a pattern only takes names away")
  func otherLocations() async throws {
    let service = try await TestService(hosts: TestService.threeHosts)
    let east = try await service.servers.create(service.draft(location: "us-east"), service.owner).view.server.id
    try await service.settle()
    await service.nameKeeper.pollOnce()
    #expect(service.zones.names.isEmpty)
    #expect(try await service.store.locationsAwaitingNames(at: service.clock.now).isEmpty)
    let refused = await failure { _ = try await service.reverseNames.list(east, service.owner) }
    #expect(refused?.code == .notFound && refused?.message == "Reverse DNS is not available at us-east.")
    let address = try #require(IPAddress("127.80.0.1"))
    service.zones.names = [address: ["left-over.example.com"]]
    let namings = ReverseNamings(ReverseNaming(zones: service.zones, pattern: nil))
    let keeper = ReverseNameKeeper(
      store: service.store, namings: namings, pools: AddressPools(service.pools), clock: service.clock,
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    await keeper.pollOnce()
    #expect(service.zones.names.isEmpty)
    let names = ReverseNames(store: service.store, namings: namings, clock: service.clock)
    let elements = try await names.list(east, service.owner)
    #expect(elements.map(\.address) == [address] && elements[0].name == nil)
  }
}
