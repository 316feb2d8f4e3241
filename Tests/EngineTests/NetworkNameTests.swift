import Core
import Engine
import Foundation
import SQLStore
import TestSupport
import Testing

@Suite("Names of other addresses of a network than its server's own")
struct NetworkNameTests {
  private static let address = "2001:db8:10:1::25"
  private static let notItsAddress = Failure.invalid(.address, "This is no address of the server.").code

  /// With a server of which everything was said.
  private func service() async throws -> (service: TestService, server: ID<Server>) {
    let service = try await TestService(addressPool6: IPv6Pool("2001:db8:10::/56"))
    let server = try await service.activeServer()
    await service.nameKeeper.pollOnce()
    return (service, server)
  }

  @discardableResult
  private func set(
    _ name: String?, of address: String = Self.address, _ server: ID<Server>, _ service: TestService
  ) async throws -> ReverseNames.Element {
    try await service.reverseNames.change(server, .init(address: address, name: name), service.owner)
  }

  private func listed(_ server: ID<Server>, _ service: TestService) async throws -> [String] {
    try await service.reverseNames.list(server, service.owner).map(\.address.description)
  }

  @Test("It is listed and said while it has one, has none afterwards, and none once the server is gone")
  func life() async throws {
    let (service, server) = try await service()
    try await set("six.example.com", of: "2001:db8:10:1::1", server, service)
    let set = try await set("Mail.example.com", server, service)
    #expect(set.address.description == Self.address && set.name?.name == "mail.example.com" && set.isGiven)
    #expect(try await listed(server, service) == ["127.80.0.1", "2001:db8:10:1::1", Self.address])
    await service.nameKeeper.pollOnce()
    #expect(service.zones.name(of: Self.address) == "mail.example.com")
    #expect(service.zones.name(of: "2001:db8:10:1::1") == "six.example.com")
    let reset = try await self.set(nil, server, service)
    #expect(reset.name == nil && !reset.isGiven)
    #expect(try await listed(server, service) == ["127.80.0.1", "2001:db8:10:1::1"])
    await service.nameKeeper.pollOnce()
    #expect(service.zones.name(of: Self.address) == nil)
    for number in 2...9 {
      try await self.set("n\(number).example.com", of: "2001:db8:10:1::\(number)", server, service)
    }
    await service.nameKeeper.pollOnce()
    #expect(service.zones.names.count == 10)
    _ = try await service.servers.delete(server, service.owner)
    try await service.settle()
    await service.nameKeeper.pollOnce()
    #expect(service.zones.names.count == 2)
    #expect(service.zones.name(of: "2001:db8:10:1::1") == "2001-db8-10-1-0-0-0-1.vps.example.com")
    #expect(try await service.database.waitingNames(areRefused: false, after: nil, limit: 100).isEmpty)
    #expect(try await service.contradictionsAtRest() == [])
    let audit = try await service.database.auditTrail(newest: 100).filter { $0.action == "server.rdns" }
    #expect(audit.compactMap(\.detail).contains("\(Self.address) default"))
  }

  @Test("Only in a network that the server has, and not the first address of it, which is its routers'")
  func others() async throws {
    let (service, server) = try await service()
    let other = try await service.activeServer()
    try await set("a.example.com", of: "2001:db8:10:2::25", other, service)
    for address in ["2001:db8:10:2::25", "2001:db8:10:1::", "2001:db8:11:1::1", "::ffff:127.80.0.2"] {
      let refused = await failure { try await set("b.example.com", of: address, server, service) }
      #expect(refused?.code == Self.notItsAddress, "\(address)")
    }
    #expect(try await listed(other, service).last == "2001:db8:10:2::25")
    #expect(try await listed(server, service).count == 2)
    let single = try await TestService(addressPool6: IPv6Pool("2001:db8:10::/64"))
    let alone = try await single.activeServer()
    let refused = await failure { try await set("b.example.com", of: "2001:db8:10::2", alone, single) }
    #expect(refused?.code == Self.notItsAddress)
  }

  @Test("A server may have 64 of them, and change and take back those that it has")
  func quota() async throws {
    let (service, server) = try await service()
    for number in 2...65 { try await set("a.example.com", of: "2001:db8:10:1::\(number)", server, service) }
    let refused = await failure { try await set("a.example.com", of: "2001:db8:10:1::66", server, service) }
    #expect(
      refused?.code == .permissionDenied
        && refused?.message == "Quota of names in networks of the server reached (64).")
    try await set("b.example.com", of: "2001:db8:10:1::65", server, service)
    try await set("b.example.com", of: "2001:db8:10:1::1", server, service)
    try await set(nil, of: "2001:db8:10:1::64", server, service)
    try await set("a.example.com", of: "2001:db8:10:1::66", server, service)
    #expect(try await listed(server, service).count == 66)
    // In the order of the addresses, and not of their texts.
    #expect(
      try await listed(server, service).suffix(3) == ["2001:db8:10:1::63", "2001:db8:10:1::65", "2001:db8:10:1::66"])
  }

  @Test("What is to be forgotten waits for the DNS server, whoever dies meanwhile, and one that comes back is kept")
  func waiting() async throws {
    let (dead, server) = try await service()
    try await set("a.example.com", server, dead)
    try await set("c.example.com", of: "2001:db8:10:1::c", server, dead)
    await dead.nameKeeper.pollOnce()
    dead.zones.trouble = .away
    try await set(nil, server, dead)
    let due = try await dead.store.dueNames(at: "us-west", limit: 10, at: dead.clock.now)
    #expect(due.count == 1 && due[0].wanted.name == nil && !due[0].wanted.hasDefault)
    try await set("b.example.com", server, dead)
    // That it is to have none was said too late.
    try await dead.store.recordSaid(due)
    #expect(try await listed(server, dead).contains(Self.address))
    _ = try await dead.servers.delete(server, dead.owner)
    try await dead.settle()
    await dead.nameKeeper.pollOnce()
    #expect(dead.zones.name(of: Self.address) == "a.example.com")
    dead.zones.trouble = nil
    let service = try await TestService(after: dead)
    await service.nameKeeper.pollOnce()
    #expect(service.zones.name(of: Self.address) == nil && service.zones.name(of: "2001:db8:10:1::c") == nil)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("What somebody else changes of them is mended within the hour; what has none of our names is left alone")
  func drift() async throws {
    let (service, server) = try await service()
    try await set("a.example.com", server, service)
    try await set("b.example.com", of: "2001:db8:10:1::b", server, service)
    await service.nameKeeper.pollOnce()
    service.zones.names[try #require(IPAddress(Self.address))] = ["x.example.com"]
    service.zones.names[try #require(IPAddress("2001:db8:10:1::b"))] = []
    service.zones.names[try #require(IPAddress("2001:db8:10:1::99"))] = ["mine.example.com"]
    service.clock.advance(by: .seconds(3601))
    await service.nameKeeper.pollOnce()
    #expect(service.zones.name(of: Self.address) == "a.example.com")
    #expect(service.zones.name(of: "2001:db8:10:1::b") == "b.example.com")
    #expect(service.zones.name(of: "2001:db8:10:1::99") == "mine.example.com")
  }

  @Test("An installation that ends saying names forgets what waits, and one that begins again says all")
  func beginning() async throws {
    let (service, server) = try await service()
    let store = service.store
    try await set("a.example.com", server, service)
    try await set("b.example.com", of: "2001:db8:10:1::b", server, service)
    await service.nameKeeper.pollOnce()
    try await set(nil, server, service)
    try await store.setReverseNames(areSaid: false, at: service.clock.now)
    #expect(try await service.contradictionsAtRest() == [])
    service.zones.names = [:]
    try await store.setReverseNames(areSaid: true, at: service.clock.now)
    await service.nameKeeper.pollOnce()
    #expect(service.zones.names.count == 3 && service.zones.name(of: "2001:db8:10:1::b") == "b.example.com")
    try await store.setReverseNames(areSaid: false, at: service.clock.now)
    _ = try await service.servers.delete(server, service.owner)
    try await service.settle()
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("Figures and lists of what waits have all of it, since when, and what was refused with the reason")
  func figures() async throws {
    let (service, server) = try await service()
    let store = service.database
    func figures() async throws -> StoreFigures.Names? {
      try await store.nameFigures().first { $0.location == "us-west" }
    }
    #expect(try await figures().map { $0.waiting == 0 && $0.oldestAt == nil } == true)
    let began = service.clock.now
    service.zones.troubles = [try #require(IPAddress("127.80.0.1")): .refused("REFUSED")]
    try await set("web.example.com", of: "127.80.0.1", server, service)
    await service.nameKeeper.pollOnce()
    service.zones.trouble = .away
    service.clock.advance(by: .seconds(100))
    // That it is another one meanwhile makes it wait no less.
    for name in ["a", "b"] { try await set("\(name).example.com", server, service) }
    let figure = try #require(try await figures())
    #expect(figure.waiting == 2 && figure.refused == 1 && figure.oldestAt == began)
    let all = try await store.waitingNames(areRefused: false, after: nil, limit: 100)
    #expect(all.map(\.wanted.address.hostAddress.description) == ["127.80.0.1", Self.address])
    #expect(all.map(\.since) == [began, began + .seconds(100)] && all.map(\.wanted.serverID) == [server, server])
    let paged = try await store.waitingNames(areRefused: false, after: all[0], limit: 1)
    #expect(paged == [all[1]])
    let refused = try await store.waitingNames(areRefused: true, after: nil, limit: 100)
    #expect(refused.count == 1 && refused[0].failure == "REFUSED" && refused[0].attempts == 1)
    #expect(refused[0].nextAt == began + .seconds(30))
    service.zones.troubles = [:]
    service.zones.trouble = nil
    // Nobody need wait for the next try.
    service.zones.troubles = [try #require(IPAddress("127.80.0.1")): .refused("REFUSED")]
    await service.nameKeeper.pollOnce()
    service.zones.troubles = [:]
    #expect(try await store.retryNames(at: service.clock.now) == 1)
    await service.nameKeeper.pollOnce()
    #expect(service.zones.name(of: "127.80.0.1") == "web.example.com")
    #expect(try await figures()?.waiting == 0)
  }
}
