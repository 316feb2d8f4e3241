import Core
import Foundation
import SQLStore
import SimulatedDriver
import TestSupport
import Testing

@testable import Engine

@Suite("A server moves to another location")
struct MoveTests {
  private static func service(_ pool6: IPv6Pool? = nil) async throws -> TestService {
    try await TestService(hosts: TestService.threeHosts, addressPool6: pool6)
  }

  private func server(_ id: ID<Server>, _ service: TestService) async throws -> Server {
    try #require(try await service.store.server(id))
  }

  private func history(_ id: ID<Server>, _ service: TestService) async throws -> [OperationRecord] {
    try await service.servers.history(of: id, isNewestFirst: false, page: .first, service.owner).elements
  }

  /// Carries out everything, with a look at the machines before and after.
  private func settle(_ service: TestService) async throws {
    try await service.settle()
    await service.monitor.pollOnce()
    try await service.settle()
  }

  private func powers(of machine: UUID, _ service: TestService) async throws -> [MachinePower] {
    var powers: [MachinePower] = []
    for driver in service.drivers { powers.append(try await driver.power(of: machine)) }
    return powers
  }

  @Test("One that is active goes down, and comes up there with its disk, copies and firewall, at a new address")
  func active() async throws {
    let service = try await Self.service(IPv6Pool("2001:db8:10::/48"))
    for driver in service.drivers { driver.configure { $0.enforcesFirewalls = true } }
    let id = try await service.activeServer()
    let before = try await server(id, service)
    try service.drivers[0].guestWrites("precious", on: before.uuid)
    let firewall = Firewall(isEnabled: true, rules: [try FirewallRule(.inbound, .tcp, ports: "22")])
    _ = try await service.firewalls.replace(id, with: firewall, service.owner)
    await service.applyFirewalls()
    let backup = try await service.backup(of: id)
    let requested = try await service.move(id)
    #expect(requested.server.status == .rebooting)
    #expect(requested.server.location == "us-west" && requested.server.addresses == before.addresses)
    #expect(try await service.contradictions() == [])
    for action in PowerAction.allCases {
      let refused = await failure { _ = try await service.servers.perform(action, on: id, service.owner) }
      #expect(refused?.message == "Server is rebooting.")
    }
    while try await service.step() { #expect(try await service.contradictions() == []) }
    await service.monitor.pollOnce()
    let after = try await server(id, service)
    #expect(after.status == .active && after.location == "us-east")
    #expect(after.hostID == service.fleet.hosts[2].id)
    #expect(after.address != before.address && after.addresses.ipv4.count == 1)
    #expect(after.addresses.ipv6 != before.addresses.ipv6 && after.addresses.ipv6.count == 1)
    #expect(after.addresses.leaving.isEmpty && after.addresses.isApplied)
    #expect(try await powers(of: after.uuid, service) == [.absent, .absent, .running])
    let machine = try #require(service.drivers[2].machine(after.uuid))
    #expect(machine.disk?.content == "precious" && machine.firewall == firewall)
    #expect(machine.guestAddresses == after.addresses.all.map(\.hostAddress.description))

    let record = try #require(try await history(id, service).last)
    #expect(record.kind == .move && record.state == .succeeded && record.reason == nil)
    let move = try #require(record.move)
    #expect(move.fromLocation == "us-west" && move.toLocation == "us-east")
    #expect(move.oldAddress == before.address && move.newAddress == after.address)
    #expect(try #require(move.downtime) > .zero)
    let old = try #require(before.address)
    let released = try #require(
      try await service.database.addresses(after: nil, limit: 10).first { $0.address == .ipv4(old) })
    #expect(released.serverID == nil && released.releasedAt != nil)

    try service.drivers[2].guestWrites("later", on: after.uuid)
    _ = try await service.backups.restore(backup, service.owner)
    try await settle(service)
    #expect(service.drivers[2].machine(after.uuid)?.disk?.content == "precious")
    #expect(try await service.contradictionsAtRest() == [])
    try await service.servers.delete(id, service.owner)
    try await settle(service)
    #expect(try await service.leftovers() == [])
  }

  @Test("One that is stopped stays so, and starts there; one that is told to start meanwhile starts when it is there")
  func stopped() async throws {
    let service = try await Self.service()
    let id = try await service.activeServer()
    _ = try await service.servers.perform(.stop, on: id, service.owner)
    try await service.settle()
    #expect(try await service.move(id).server.status == .stopped)
    try await settle(service)
    let machine = try await server(id, service).uuid
    #expect(try await service.status(of: id) == .stopped)
    #expect(!service.drivers[2].calls.map(\.method).contains(.start))
    #expect(try await powers(of: machine, service) == [.absent, .absent, .off(.guestShutdown)])
    #expect(try await history(id, service).last?.move?.downtime == nil)
    #expect(try await service.contradictionsAtRest() == [])
    try await service.move(id, to: "us-west")
    #expect(try await service.servers.perform(.start, on: id, service.owner).status == .starting)
    try await settle(service)
    #expect(try await service.status(of: id) == .active)
    #expect(try await server(id, service).location == "us-west")
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("It is refused, with the field or the reason, where it cannot be")
  func refusals() async throws {
    let locals = HostDeclaration(name: "local", location: nil, driver: "simulated")
    let service = try await TestService(hosts: Array(TestService.threeHosts.prefix(2)) + [locals])
    let id = try await service.activeServer()
    func refusal(_ code: String) async -> Failure.Code? { await failure { try await service.move(id, to: code) }?.code }
    for (code, message) in [
      ("mars", "\"mars\" is not a valid choice."), ("us-west", "The server is at us-west already."),
      ("us-east", "Servers at us-west cannot be moved to us-east."),
    ] {
      #expect(await refusal(code) == .invalidFields([FieldError(.location, [message])]))
    }
    #expect(try await service.store.operations(of: id).map(\.kind) == [.create])
    let (stranger, _) = try await service.newCaller()
    #expect(
      await failure { _ = try await service.servers.move(id, .init(location: "us-east"), stranger) }?.code == .notFound)
  }

  @Test("It waits for nothing that would change its reservation: one move at a time, no resize beside it, no rescue")
  func exclusions() async throws {
    let service = try await Self.service()
    let id = try await service.activeServer()
    try await service.resize(id)
    #expect(await failure { try await service.move(id) }?.message == "Server is being resized already.")
    try await service.settle()
    try await service.move(id)
    #expect(await failure { try await service.move(id) }?.message == "Server is being moved already.")
    #expect(await failure { _ = try await service.resize(id, to: 2) }?.message == "Server is being moved already.")
    #expect(await failure { _ = try await service.servers.rescue(id, .init(), service.owner) }?.code != nil)
    try await settle(service)
    #expect(try await server(id, service).planID == ID(1))
    _ = try await service.servers.rescue(id, .init(), service.owner)
    try await service.settle()
    #expect(await failure { try await service.move(id, to: "us-west") }?.code == .wrongState)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("Room there is reserved with the order: of two for the last room one is refused, and nothing is written of it")
  func lastRoom() async throws {
    let service = try await Self.service()
    let (first, second) = (try await service.activeServer(), try await service.activeServer())
    service.drivers[2].configure { $0.capacity = HostCapacity(vcpus: 1, memoryMiB: 512, storageGiB: 5) }
    await service.monitor.pollOnce()
    let outcomes = await withTaskGroup(of: Failure?.self) { group in
      for id in [first, second] { group.addTask { await failure { try await service.move(id) } } }
      return await group.reduce(into: []) { $0.append($1) }
    }
    let refused = outcomes.compactMap { $0 }
    #expect(refused.map(\.code) == [.noCapacity])
    #expect(refused.map(\.message) == ["No capacity at us-east for this plan."])
    #expect(
      await failure { _ = try await service.servers.create(service.draft(location: "us-east"), service.owner) }?.code
        == .noCapacity)
    try await settle(service)
    let counts = try await service.store.hosts().map(\.serverCount)
    #expect(counts == [1, 0, 1] || counts == [0, 1, 1])
    #expect(try await service.contradictionsAtRest() == [])
    for id in [first, second] { #expect(try await service.status(of: id) == .active) }
  }

  @Test("Without a free address there it is refused")
  func noAddress() async throws {
    let service = try await TestService(hosts: TestService.threeHosts, addressPool: AddressPool("127.80.0.0/30")!)
    let id = try await service.activeServer()
    _ = try await service.activeServer()
    let refused = await failure { try await service.move(id) }
    #expect(refused?.code == .noCapacity && refused?.message == "No free address at us-east.")
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("While nobody can tell whether it has come whole, nothing is undone")
  func unknown() async throws {
    let service = try await Self.service()
    let id = try await service.activeServer()
    let refusal = Fault.Effect.fail(DriverError(.rejected, "no"))
    service.drivers[2].inject(Fault(in: .ensureReceived, refusal, times: nil))
    service.drivers[2].inject(Fault(in: .endReceipt, refusal, times: 3))
    try await service.move(id)
    try await settle(service)
    #expect(service.drivers[2].calls.count { $0.method == .endReceipt } == 4)
    #expect(try await service.status(of: id) == .active)
    #expect(try await server(id, service).location == "us-west")
    #expect(try await history(id, service).last?.state == .failed)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("An address that something else at the new host uses is not taken")
  func occupiedAddress() async throws {
    let service = try await Self.service()
    let id = try await service.activeServer()
    service.drivers[2].configure { $0.occupiedAddresses = [ServerAddress("127.80.0.2")!] }
    try await service.move(id)
    try await settle(service)
    #expect(try await server(id, service).address == IPv4Address("127.80.0.3"))
    #expect(try await history(id, service).last?.move?.newAddress == IPv4Address("127.80.0.3"))
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("It gets as many addresses as it has, and the names of the old ones end with them")
  func severalAddresses() async throws {
    let service = try await Self.service(IPv6Pool("2001:db8:10::/48"))
    let id = try await service.activeServer()
    for family in ServerAddress.Family.allCases {
      _ = try await service.database.addAddress(
        .next(family), to: id, pools: service.pools, limit: 16, at: service.clock.now)
    }
    try await settle(service)
    let before = try await server(id, service).addresses
    let draft = ReverseNames.Draft(address: "127.80.0.1", name: "web.example.com")
    _ = try await service.reverseNames.change(id, draft, service.owner)
    await service.nameKeeper.pollOnce()
    #expect(service.zones.name(of: "127.80.0.1") == "web.example.com")
    try await service.move(id)
    let refused = await failure {
      _ = try await service.database.addAddress(
        .next(.ipv4), to: id, pools: service.pools, limit: 16, at: service.clock.now)
    }
    #expect(refused?.code == .conflict)
    try await settle(service)
    await service.nameKeeper.pollOnce()
    let after = try await server(id, service).addresses
    #expect(after.ipv4.count == 2 && after.ipv6.count == 2)
    #expect(Set(after.all).isDisjoint(with: before.all))
    #expect(service.zones.name(of: "127.80.0.1") != "web.example.com")
    #expect(try await service.contradictionsAtRest() == [])
  }

  /// Runs until the move's next step is this one.
  private func run(_ id: ID<Server>, to step: String, _ service: TestService) async throws {
    try await service.run {
      try await service.store.operations(of: id).last?.step == step
    }
  }

  @Test(
    "A new host that dies before the machine is there leaves the server where it was, running, and tidies up afterwards"
  )
  func newHostDies() async throws {
    let service = try await Self.service()
    let id = try await service.activeServer()
    let before = try await server(id, service)
    try await service.move(id)
    try await run(id, to: "receive", service)
    #expect(try await service.step())
    #expect(try await service.drivers[2].power(of: before.uuid) == .remnant)
    await service.silence(host: 2)
    try await settle(service)
    let after = try await server(id, service)
    #expect(after.status == .active && after.hostID == before.hostID && after.addresses == before.addresses)
    let record = try #require(try await history(id, service).last)
    #expect(
      record.state == .failed && record.reason == "The server's new host did not answer, so it stays where it is.")
    #expect(record.move?.newAddress == nil)
    #expect(try await service.contradictions() == [])
    await service.comeBack(host: 2)
    try await settle(service)
    #expect(try await powers(of: before.uuid, service) == [.running, .absent, .absent])
    #expect(try await service.store.hosts().map(\.reserved.vcpus) == [1, 0, 0])
    #expect(try await service.contradictionsAtRest() == [])
    try await service.move(id)
    try await settle(service)
    #expect(try await server(id, service).location == "us-east")
  }

  @Test("An old host that is away when the machine has come removes its own when it is back, and never runs it")
  func oldHostDies() async throws {
    let service = try await Self.service()
    let id = try await service.activeServer()
    let machine = try await server(id, service).uuid
    try await service.move(id)
    try await run(id, to: "arrive", service)
    await service.silence(host: 0)
    try await settle(service)
    #expect(try await service.status(of: id) == .active)
    #expect(try await service.drivers[2].power(of: machine) == .running)
    #expect(service.drivers[0].machine(machine) != nil)
    // What may still be there keeps its room.
    #expect(try await service.store.hosts().map(\.reserved.vcpus) == [1, 0, 1])
    let back = await failure { try await service.move(id, to: "us-west") }
    #expect(back == nil)
    try await settle(service)
    #expect(try await server(id, service).hostID == service.fleet.hosts[1].id)
    await service.comeBack(host: 0)
    try await settle(service)
    #expect(try await powers(of: machine, service) == [.absent, .running, .absent])
    #expect(try await service.store.hosts().map(\.reserved.vcpus) == [0, 1, 0])
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("An old host that dies while it is asked for the machine is waited for; then the move goes on")
  func oldHostDiesMeanwhile() async throws {
    let service = try await Self.service()
    let id = try await service.activeServer()
    let machine = try await server(id, service).uuid
    try await service.move(id)
    try await run(id, to: "receive", service)
    #expect(try await service.step())
    await service.silence(host: 0)
    for _ in 1...20 { _ = try await service.step() }
    #expect(try await service.drivers[2].power(of: machine) == .remnant)
    await service.comeBack(host: 0)
    try await settle(service)
    #expect(try await service.status(of: id) == .active)
    let running = try await powers(of: machine, service).filter { $0 == .running }
    #expect(running.count == 1)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("A machine that somebody starts at the old host after the move is removed there")
  func strangerAtOldHost() async throws {
    let service = try await Self.service()
    let id = try await service.activeServer()
    let machine = try await server(id, service).uuid
    try await service.move(id)
    try await run(id, to: "define", service)
    try await service.drivers[0].start(machine)
    await service.monitor.pollOnce()
    #expect(try await service.drivers[0].power(of: machine) == .absent)
    try await settle(service)
    #expect(try await powers(of: machine, service) == [.absent, .absent, .running])
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("Its hours go on over the move without a gap, and none is charged twice")
  func billing() async throws {
    let service = try await Self.service()
    let id = try await service.activeServer()
    func hours() async throws -> [Timestamp] {
      let entries = try await service.store.ledger(
        of: service.owner.accountID, in: nil, order: [], page: .first)
      return entries.elements.filter { $0.reason == .charge }.compactMap(\.hourBeganAt).sorted()
    }
    service.clock.advance(by: .seconds(3599))
    await service.billing.pollOnce()
    try await service.move(id)
    service.clock.advance(by: .seconds(2))
    await service.billing.pollOnce()
    try await settle(service)
    service.clock.advance(by: .seconds(3600))
    await service.billing.pollOnce()
    let charged = try await hours()
    #expect(charged.count == 3 && Set(charged).count == 3)
    for (hour, next) in zip(charged, charged.dropFirst()) { #expect(next - hour == .seconds(3600)) }
    #expect(try await service.contradictionsAtRest() == [])
  }
}
