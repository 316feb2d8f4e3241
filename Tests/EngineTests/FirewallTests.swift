import Core
import Foundation
import SimulatedDriver
import Synchronization
import TestSupport
import Testing

@testable import Engine

@Suite("A firewall is in force at once, whatever its server does, and none is lost or overtaken by an older one")
struct FirewallTests {
  private static let passing = DriverError(.unreachable, "The host does not answer.")
  private static let closed = Firewall(isEnabled: true, rules: [])

  private static func open(_ port: Int) throws -> Firewall {
    Firewall(isEnabled: true, rules: [try FirewallRule(.inbound, .tcp, ports: "\(port)")])
  }

  private func service(hosts: [HostDeclaration] = TestService.oneHost) async throws -> TestService {
    var options = SimulatedDriver.Options()
    options.enforcesFirewalls = true
    return try await TestService(hosts: hosts, options: options)
  }

  private func create(_ service: TestService, behind firewall: Firewall?) async throws -> Server {
    var draft = service.draft()
    draft.firewall = firewall
    return try await service.servers.create(draft, service.owner).view.server
  }

  private func active(_ service: TestService, behind firewall: Firewall? = nil) async throws -> Server {
    let server = try await create(service, behind: firewall)
    try await service.settle()
    await service.applyFirewalls()
    return server
  }

  private func isEnforced(_ server: Server, _ service: TestService) async throws -> Bool {
    try await service.firewalls.read(server.id, service.owner).isEnforced
  }

  private func inForce(_ server: Server, _ service: TestService) async throws -> Firewall? {
    try await service.driver(of: server.id)?.machine(server.uuid)?.firewall
  }

  @Test("A server that is made with a firewall is behind it before it is started for the first time")
  func create() async throws {
    let service = try await service()
    let wanted = try Self.open(22)
    let server = try await create(service, behind: wanted)
    let seen = Mutex<[Firewall?]>([])
    let driver = service.driver
    driver.inject(
      Fault(in: .start, .before { seen.withLock { $0.append(driver.machine(server.uuid)?.firewall) } }, times: nil))
    try await service.settle()
    #expect(seen.withLock { $0 } == [wanted])
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("A change is in force at once while the disk is copied for hours")
  func duringCopy() async throws {
    let service = try await service()
    let server = try await active(service)
    _ = try await service.backups.create(DiskCopies.Draft(server: .id(server.id)), service.owner)
    service.driver.inject(Fault(in: .ensureCopied, .hang))
    let copying = Task { try await service.settle() }
    await service.driver.whenHanging()
    let view = try await service.firewalls.replace(server.id, with: try Self.open(443), service.owner)
    #expect(!view.isEnforced)
    await service.applyFirewalls()
    #expect(try await inForce(server, service) == Self.open(443))
    #expect(try await isEnforced(server, service))
    #expect(try await service.store.operations(of: server.id).filter { $0.finishedAt == nil }.map(\.kind) == [.backup])
    service.driver.releaseHangingCalls()
    try await copying.value
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("A change while the server is off, or before it is there, is in force when it starts")
  func whileOff() async throws {
    let service = try await service()
    let server = try await create(service, behind: nil)
    _ = try await service.firewalls.replace(server.id, with: try Self.open(1), service.owner)
    await service.applyFirewalls()
    try await service.settle()
    #expect(try await inForce(server, service) == Self.open(1))
    _ = try await service.servers.perform(.stop, on: server.id, service.owner)
    try await service.settle()
    _ = try await service.firewalls.replace(server.id, with: try Self.open(2), service.owner)
    // Nobody has applied it when it is started.
    _ = try await service.servers.perform(.start, on: server.id, service.owner)
    try await service.settle()
    #expect(try await inForce(server, service) == Self.open(2))
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("Of two changes in a hurry the last one counts, also where the first is under way")
  func twoChanges() async throws {
    let service = try await service()
    let server = try await active(service)
    _ = try await service.firewalls.replace(server.id, with: try Self.open(1), service.owner)
    service.driver.inject(Fault(in: .applyFirewall, .hang))
    let first = Task { await service.applyFirewalls() }
    await service.driver.whenHanging()
    _ = try await service.firewalls.replace(server.id, with: try Self.open(2), service.owner)
    service.driver.releaseHangingCalls()
    await first.value
    #expect(try await inForce(server, service) == Self.open(2))
    #expect(try await isEnforced(server, service))
  }

  @Test("A definition that began before a change and comes to its end after it does not bring the old firewall back")
  func staleDefinition() async throws {
    let service = try await service()
    let server = try await active(service)
    _ = try await service.servers.perform(.reboot, on: server.id, service.owner)
    let change: Fault.Hook = {
      _ = try? await service.firewalls.replace(server.id, with: try Self.open(2), service.owner)
      await service.applyFirewalls()
    }
    service.driver.inject(Fault(in: .ensureDefined, .before(change)))
    try await service.settle()
    #expect(try await inForce(server, service) == Self.open(2))
    #expect(service.driver.calls.contains(DriverCall(.applyFirewall, server.uuid)))
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("A process that dies after a change was accepted, or anywhere in the call, leaves it to the next one")
  func death() async throws {
    for effect in [Fault.Effect?.none, .hang, .hangAfterwards] {
      let dead = try await service()
      let server = try await active(dead)
      _ = try await dead.firewalls.replace(server.id, with: try Self.open(443), dead.owner)
      var last: Task<Void, Never>?
      if let effect {
        dead.driver.inject(Fault(in: .applyFirewall, effect))
        last = Task { await dead.applyFirewalls() }
        await dead.driver.whenHanging()
      }
      let next = try await TestService(after: dead)
      #expect(try await !isEnforced(server, next))
      await next.applyFirewalls()
      #expect(try await inForce(server, next) == Self.open(443))
      #expect(try await isEnforced(server, next))
      last?.cancel()
      await last?.value
    }
  }

  @Test("A host that was put back, or a store that was, has what the store says after the service's next start")
  func restored() async throws {
    let service = try await service()
    let (one, other) = (try await active(service, behind: try Self.open(22)), try await active(service))
    for server in [one, other] { try await service.driver.applyFirewall(Self.closed, to: server.uuid) }
    let next = try await TestService(after: service)
    await next.applyFirewalls()
    #expect(try await inForce(one, next) == Self.open(22))
    #expect(try await inForce(other, next) == .disabled)
    // And nobody asks the host for the same again and again.
    next.driver.forgetCalls()
    await next.applyFirewalls()
    #expect(next.driver.calls.isEmpty)
  }

  @Test("A host that is away has the change when it is back, and is not asked for it before")
  func away() async throws {
    let service = try await service(hosts: TestService.threeHosts)
    let server = try await active(service)
    let number = try #require(service.fleet.hosts.firstIndex { $0.id == server.hostID })
    let driver = service.drivers[number]
    driver.configure { $0.condition = .isDead }
    await service.monitor.pollOnce()
    service.clock.advance(by: Core.Host.longestSilence)
    await service.monitor.monitors[number].noteSilence()
    driver.forgetCalls()
    _ = try await service.firewalls.replace(server.id, with: try Self.open(25), service.owner)
    await service.applyFirewalls()
    #expect(driver.calls.isEmpty)
    #expect(try await !isEnforced(server, service))
    driver.configure { $0.condition = .answers }
    await service.monitor.pollOnce()
    await service.applyFirewalls()
    #expect(try await inForce(server, service) == Self.open(25))
    #expect(try await isEnforced(server, service))
  }

  @Test("A call that fails, before or after its work, is repeated until it succeeds")
  func failures() async throws {
    for effect in [Fault.Effect.fail(Self.passing), .failAfterwards(Self.passing)] {
      let service = try await service()
      let server = try await active(service)
      _ = try await service.firewalls.replace(server.id, with: try Self.open(80), service.owner)
      service.driver.inject(Fault(in: .applyFirewall, effect, times: 3))
      for _ in 1...3 {
        await service.applyFirewalls()
        #expect(try await !isEnforced(server, service))
        service.clock.advance(by: .seconds(30))
      }
      await service.applyFirewalls()
      #expect(try await inForce(server, service) == Self.open(80))
      #expect(try await isEnforced(server, service))
    }
  }

  @Test(
    "A machine whose call hangs keeps no other from its firewall, and has its own when the call was ended",
    .timeLimit(.minutes(10)))
  func hangs() async throws {
    let service = try await service()
    let (stuck, other) = (try await active(service), try await active(service))
    service.driver.inject(Fault(in: .applyFirewall, of: stuck.uuid, .hang))
    let keeping = Task { await service.firewallKeepers[0].run() }
    var views: [Firewalls.View] = []
    for server in [stuck, other] {
      views.append(try await service.firewalls.replace(server.id, with: try Self.open(80), service.owner))
    }
    #expect(try await service.firewalls.settled(views[1], within: .seconds(60), service.owner).isEnforced)
    await service.driver.whenHanging()
    #expect(try await !isEnforced(stuck, service))
    // The call is ended after a minute, and begun anew.
    let settled = Task { try await service.firewalls.settled(views[0], within: .seconds(1_000_000), service.owner) }
    while try await !isEnforced(stuck, service) {
      await service.clock.whenSleeping()
      service.clock.advance(by: .seconds(1))
      await Task.yield()
    }
    #expect(try await settled.value.isEnforced)
    keeping.cancel()
    await keeping.value
  }

  @Test(
    "A plan's new port speed, which all its servers are to have, keeps no customer waiting, and is kept waiting by none"
  )
  func beforeThePlan() async throws {
    let service = try await service()
    var servers: [Server] = []
    for _ in 0..<12 { servers.append(try await active(service)) }
    var change = PlanChange()
    change.portSpeedMbit = 50
    _ = try await service.store.updatePlan(ID(3), change, at: service.clock.now)
    var port = 80
    // The first one of them changes theirs again and again.
    for server in [servers[11], servers[9], servers[11], servers[10], servers[11]] {
      service.clock.advance(by: .seconds(1))
      port += 1
      _ = try await service.firewalls.replace(server.id, with: try Self.open(port), service.owner)
    }
    let earlier = service.driver.calls.count
    await service.applyFirewalls()
    let calls = service.driver.calls.dropFirst(earlier).filter { $0.method == .applyFirewall }
    let order = calls.compactMap { call in servers.firstIndex { $0.uuid == call.machine } }
    #expect(order.prefix(6) == [11, 0, 9, 1, 10, 2] && Set(order).count == 12 && order.count == 12, "\(order)")
    for server in servers { #expect(try await isEnforced(server, service)) }
    let last = try Self.open(port)
    #expect(try await inForce(servers[11], service) == last)

    // Who has had a turn comes after all who wait for one.
    let host = try #require(service.fleet[servers[0].hostID])
    host.noteChangedFirewalls(of: [servers[0].id, servers[1].id])
    host.beginFirewall(of: servers[0].id)
    host.noteChangedFirewalls(of: [servers[0].id])
    #expect(host.nextChangedFirewall(where: { _ in true }) == servers[1].id)
    host.beginFirewall(of: servers[1].id)
    #expect(host.nextChangedFirewall(where: { _ in true }) == servers[0].id)
  }

  @Test("Where the network cannot, a firewall is kept and shown, nothing is asked of the host, and nobody waits")
  func cannot() async throws {
    let service = try await TestService()
    let server = try await active(service, behind: try Self.open(22))
    let view = try await service.firewalls.replace(server.id, with: try Self.open(23), service.owner)
    let settled = try await service.firewalls.settled(view, within: .seconds(60), service.owner)
    #expect(settled.stored.firewall == (try Self.open(23)) && !settled.isEnforced)
    await service.applyFirewalls()
    #expect(!service.driver.calls.contains { $0.method == .applyFirewall })
    // One day it can.
    service.driver.configure { $0.enforcesFirewalls = true }
    await service.applyFirewalls()
    #expect(try await inForce(server, service) == Self.open(23))
  }

  @Test("With its server a firewall is gone")
  func delete() async throws {
    let service = try await service()
    let server = try await active(service, behind: try Self.open(22))
    try await service.servers.delete(server.id, service.owner)
    let failure = await failure { _ = try await service.firewalls.read(server.id, service.owner) }
    #expect(failure?.code == .notFound)
    // What is still there is not opened up meanwhile.
    await service.applyFirewalls()
    #expect(try await inForce(server, service) == Self.open(22))
    try await service.settle()
    #expect(try await service.leftovers() == [])
    #expect(try await service.store.firewall(of: server.id) == nil)
  }
}
