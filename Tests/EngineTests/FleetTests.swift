import Core
import Foundation
import SimulatedDriver
import TestSupport
import Testing

@testable import Engine

@Suite("Three hosts at two locations")
struct FleetTests {
  private func service() async throws -> TestService { try await TestService(hosts: TestService.threeHosts) }

  /// A server that has become active, on the host of this number.
  private func server(on number: Int, _ service: TestService) async throws -> Server {
    while true {
      let location = number == 2 ? "us-east" : "us-west"
      let id = try await service.servers.create(service.draft(location: location), service.owner).view.server.id
      try await service.settle()
      let server = try #require(try await service.store.server(id))
      if server.hostID == service.fleet.hosts[number].id { return server }
    }
  }

  private func counts(_ service: TestService) async throws -> [Int] {
    try await service.store.hosts().filter(\.host.isConfigured).map(\.serverCount)
  }

  private func view(_ id: ID<Server>, _ service: TestService) async throws -> Servers.View {
    try await service.servers.read(id, service.owner).0
  }

  @Test("Servers spread over the hosts of their location, each machine is on its server's host and on no other")
  func spread() async throws {
    let service = try await service()
    for _ in 1...4 { _ = try await service.servers.create(service.draft(), service.owner) }
    for _ in 1...3 { _ = try await service.servers.create(service.draft(location: "us-east"), service.owner) }
    #expect(try await counts(service) == [2, 2, 3])
    try await service.settle()
    for (driver, count) in zip(service.drivers, [2, 2, 3]) {
      #expect(try await driver.observe().powers.values.filter { $0 == .running }.count == count)
    }
    for server in try await service.store.allServers() { #expect(server.status == .active) }
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("A host is full when its servers take all of it, and comes free again with them")
  func capacity() async throws {
    let service = try await service()
    for driver in service.drivers {
      driver.configure { $0.capacity = HostCapacity(vcpus: 2, memoryMiB: 1024, storageGiB: 10) }
    }
    await service.monitor.pollOnce()
    var servers: [ID<Server>] = []
    for _ in 1...4 { servers.append(try await service.servers.create(service.draft(), service.owner).view.server.id) }
    let refused = await failure { _ = try await service.servers.create(service.draft(), service.owner) }
    #expect(refused?.code == .noCapacity)
    #expect(refused?.message == "No capacity at us-west for this plan.")
    _ = try await service.servers.create(service.draft(location: "us-east"), service.owner)
    try await service.servers.delete(servers[1], service.owner)
    try await service.settle()
    let next = try await service.servers.create(service.draft(), service.owner).view.server
    #expect(next.hostID == service.fleet.hosts[1].id)
  }

  @Test(
    "A host that dies is away after half a minute: its servers say so, and nobody else notices",
    arguments: [HostCondition.isDead, .hangs])
  func dies(condition: HostCondition) async throws {
    let service = try await service()
    let (lost, other) = (try await server(on: 0, service), try await server(on: 1, service))
    service.drivers[0].configure { $0.condition = condition }
    service.clock.advance(by: Core.Host.longestSilence - .seconds(1))
    await service.monitor.monitors[0].noteSilence()
    #expect(try await view(lost.id, service).statusReason == nil)
    await service.silence(host: 0, condition)
    #expect(try await view(lost.id, service).statusReason == Fleet.awayReason)
    #expect(try await view(lost.id, service).server.status == .active)
    #expect(try await view(other.id, service).statusReason == nil)
    #expect(try await service.store.hosts().map(\.host.state) == [.away, .active, .active])

    // Orders go to the other hosts, and are carried out.
    let before = service.drivers[0].calls.count
    for _ in 1...3 {
      let id = try await service.servers.create(service.draft(), service.owner).view.server.id
      try await service.settle()
      #expect(try await service.store.server(id)?.hostID == service.fleet.hosts[1].id)
      #expect(try await service.status(of: id) == .active)
    }
    _ = try await service.servers.perform(.reboot, on: other.id, service.owner)
    try await service.settle()
    #expect(try await service.status(of: other.id) == .active)
    #expect(service.drivers[0].calls.count == before)
    // What is lost is started nowhere else.
    for driver in service.drivers[1...] { #expect(driver.machine(lost.uuid) == nil) }
    #expect(try await service.status(of: lost.id) == .active)
    service.drivers[0].releaseHangingCalls()
  }

  @Test("However long it takes to bring rows and machines together, a host that has answered is not away")
  func slowReconciliation() async throws {
    let service = try await service()
    let crashed = try await server(on: 0, service)
    try service.drivers[0].crash(crashed.uuid)
    service.drivers[0].inject(Fault(in: .power, of: crashed.uuid, .hang))
    let look = Task { await service.monitor.pollOnce() }
    await service.drivers[0].whenHanging()
    service.clock.advance(by: Core.Host.longestSilence * 2)
    await service.monitor.monitors[0].noteSilence()
    #expect(!service.fleet.hosts[0].isAway)
    service.drivers[0].releaseHangingCalls()
    await look.value
    try await service.settle()
    #expect(try await service.status(of: crashed.id) == .active)
  }

  @Test("Before the first order a host that answered last only tells its capacity, and one that is away is observed")
  func greeting() async throws {
    let service = try await service()
    let (monitor, driver) = (service.monitor.monitors[0], service.drivers[0])
    let capacity = HostCapacity(vcpus: 77, memoryMiB: 7_000, storageGiB: 700)
    driver.configure { $0.capacity = capacity }
    driver.forgetCalls()
    await monitor.greet()
    #expect(driver.calls.map(\.method) == [.capacity])
    let host = service.fleet.hosts[0].id
    #expect(try await service.store.hosts().first { $0.host.id == host }?.host.capacity == capacity)
    await service.silence(host: 0)
    driver.configure { $0.condition = .answers }
    driver.releaseHangingCalls()
    driver.forgetCalls()
    await monitor.greet()
    #expect(driver.calls.contains { $0.method == .observe })
    #expect(!service.fleet.hosts[0].isAway)
  }

  @Test("What is asked of a server while its host is away is done when that is back, and has all its time then")
  func waitsForItsHost() async throws {
    let service = try await service()
    let (stopped, deleted) = (try await server(on: 0, service), try await server(on: 0, service))
    await service.silence(host: 0)
    _ = try await service.servers.perform(.stop, on: stopped.id, service.owner)
    try await service.servers.delete(deleted.id, service.owner)
    try await service.settle()
    service.clock.advance(by: .seconds(24 * 3600))
    try await service.settle()
    #expect(try await service.status(of: stopped.id) == .stopping)
    #expect(try await service.store.server(deleted.id) != nil)
    #expect(service.drivers[0].machine(deleted.uuid) != nil)
    await service.comeBack(host: 0)
    try await service.settle()
    #expect(try await service.status(of: stopped.id) == .stopped)
    #expect(try await service.store.server(deleted.id) == nil)
    #expect(service.drivers[0].machine(deleted.uuid) == nil)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("A host that is away takes on no larger plan, until it is back")
  func resizeWhileAway() async throws {
    let service = try await service()
    let server = try await server(on: 0, service)
    await service.silence(host: 0)
    let refused = await failure { try await service.resize(server.id) }
    #expect(refused?.code == .noCapacity)
    #expect(try await service.store.server(server.id)?.planID == server.planID)
    await service.comeBack(host: 0)
    try await service.resize(server.id)
    try await service.settle()
    #expect(try await service.store.server(server.id)?.planID != server.planID)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("A step that a dying host leaves half done goes on when it is back")
  func diesInAStep() async throws {
    let service = try await service()
    let id = try await service.servers.create(service.draft(), service.owner).view.server.id
    try await service.run { service.drivers[0].calls.contains { $0.method == .start } }
    await service.silence(host: 0)
    service.clock.advance(by: .seconds(3600))
    try await service.settle()
    #expect(try await service.status(of: id) == .provisioning)
    await service.comeBack(host: 0)
    try await service.settle()
    #expect(try await service.status(of: id) == .active)
    #expect(service.drivers[1].machine(try #require(try await service.store.server(id)).uuid) == nil)
  }

  @Test(
    "Of a machine that nobody can see nothing is believed: it is not touched, and what is asked of its server waits",
    arguments: [MachinePower.unreachable, .unknown])
  func obscured(power: MachinePower) async throws {
    let service = try await service()
    let server = try await server(on: 0, service)
    service.drivers[0].configure { $0.obscured[server.uuid] = power }
    let callsBefore = service.drivers[0].calls.count
    for _ in 1...3 {
      await service.monitor.pollOnce()
      service.clock.advance(by: .seconds(10))
      try await service.settle()
    }
    #expect(try await service.status(of: server.id) == .active)
    let looks: Set<DriverMethod> = [.observe, .power, .capacity]
    #expect(service.drivers[0].calls.dropFirst(callsBefore).allSatisfy { looks.contains($0.method) })

    _ = try await service.servers.perform(.stop, on: server.id, service.owner)
    for _ in 1...5 { _ = try await service.step() }
    #expect(try await service.status(of: server.id) == .stopping)
    #expect(service.drivers[0].machine(server.uuid)?.boot != nil)
    service.drivers[0].configure { $0.obscured = [:] }
    try await service.settle()
    #expect(try await service.status(of: server.id) == .stopped)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("A host that restarted while it was away has its servers started again, and only there")
  func restartsMeanwhile() async throws {
    let service = try await service()
    let (lost, other) = (try await server(on: 0, service), try await server(on: 1, service))
    await service.silence(host: 0)
    try service.drivers[0].hostRestarts()
    let boot = service.drivers[1].machine(other.uuid)?.boot
    await service.comeBack(host: 0)
    try await service.settle()
    #expect(try await service.status(of: lost.id) == .active)
    #expect(try await view(lost.id, service).statusReason == nil)
    #expect(service.drivers[1].machine(other.uuid)?.boot == boot)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test(
    "A host that comes back with machines it should not have: one of nobody is removed, one of another host's server is stopped and kept"
  )
  func strangers() async throws {
    let service = try await service()
    let (server, nobody) = (try await server(on: 0, service), UUID())
    try await put(server.uuid, try #require(server.address), on: service.drivers[1])
    try await put(nobody, try #require(IPv4Address("127.90.0.1")), on: service.drivers[1])
    let boot = service.drivers[0].machine(server.uuid)?.boot
    await service.monitor.pollOnce()
    try await service.settle()
    #expect(service.drivers[1].machine(nobody) == nil)
    let twin = try #require(service.drivers[1].machine(server.uuid))
    #expect(twin.boot == nil && twin.disk != nil)
    #expect(service.drivers[0].machine(server.uuid)?.boot == boot)
    #expect(try await service.status(of: server.id) == .active)
  }

  @Test(
    "A host that dies, hangs, and comes back with machines that it should not have: nothing else is touched, and nothing is started twice"
  )
  func wholeStory() async throws {
    let service = try await service()
    var servers: [Server] = []
    for number in 0...2 { servers.append(try await server(on: number, service)) }
    let boots = zip(service.drivers, servers).map { $0.machine($1.uuid)?.boot }
    await service.silence(host: 0, .isDead)
    await service.comeBack(host: 0)
    await service.silence(host: 0, .hangs)
    try await service.settle()
    service.drivers[0].configure { $0.condition = .answers }
    let nobody = UUID()
    try await put(servers[1].uuid, try #require(servers[1].address), on: service.drivers[0])
    try await put(nobody, try #require(IPv4Address("127.90.0.1")), on: service.drivers[0])
    let callsBefore = service.drivers[1...].map(\.calls.count)
    await service.comeBack(host: 0)
    try await service.settle()
    #expect(service.drivers[0].machine(nobody) == nil)
    let twin = try #require(service.drivers[0].machine(servers[1].uuid))
    #expect(twin.boot == nil && twin.disk != nil)
    #expect(boots.allSatisfy { $0 != nil })
    #expect(zip(service.drivers, servers).map { $0.machine($1.uuid)?.boot } == boots)
    for (driver, before) in zip(service.drivers[1...], callsBefore) {
      #expect(driver.calls.dropFirst(before).allSatisfy { [.observe, .capacity, .power].contains($0.method) })
      #expect(driver.machine(servers[0].uuid) == nil)
    }
    for server in servers { #expect(try await view(server.id, service).server.status == .active) }
    #expect(try await service.contradictions() == [])
  }

  /// A machine that runs, and that the service did not make.
  private func put(_ machine: UUID, _ address: IPv4Address, on driver: SimulatedDriver) async throws {
    let specification = MachineSpecification(
      machine: machine, label: "server", hostname: try #require(Hostname("stranger")), vcpus: 1, memoryMiB: 512,
      storageGiB: 5, imageName: "debian-12", imageVersion: SimulatedDriver.imageVersion,
      interface: NetworkInterface(address: address), authorizedKey: nil, rootPasswordHash: nil, mayCreateDisk: true)
    try await driver.ensureDefined(specification)
    try await driver.start(machine)
  }

  @Test("A host that drains gets no new servers and keeps those it has")
  func drains() async throws {
    let service = try await service()
    let kept = try await server(on: 0, service)
    #expect(try await service.store.setDraining(true, host: "us-west/1", at: service.clock.now)?.state == .draining)
    for _ in 1...3 { _ = try await service.servers.create(service.draft(), service.owner) }
    try await service.settle()
    #expect(try await counts(service) == [1, 3, 0])
    _ = try await service.servers.perform(.reboot, on: kept.id, service.owner)
    try await service.settle()
    #expect(try await service.status(of: kept.id) == .active)
    _ = try await service.store.setDraining(true, host: "us-west/2", at: service.clock.now)
    let refused = await failure { _ = try await service.servers.create(service.draft(), service.owner) }
    #expect(refused?.code == .noCapacity)
    _ = try await service.store.setDraining(false, host: "us-west/1", at: service.clock.now)
    _ = try await service.servers.create(service.draft(), service.owner)
    #expect(try await counts(service) == [2, 3, 0])
    #expect(try await service.store.setDraining(true, host: "nowhere", at: service.clock.now) == nil)
  }

  @Test("Hosts with all their steps in a call that hangs leave the steps of others alone")
  func hangingSteps() async throws {
    var limits = Runner.Limits()
    limits.stepsAtOnce = 2
    // However much time passes until the others are done, nobody ends those that hang.
    limits.longestStep = .seconds(1_000_000_000)
    let service = try await TestService(hosts: TestService.threeHosts, limits: limits)
    service.drivers[0].configure { $0.condition = .hangs }
    var onHost: [Int64: [ID<Server>]] = [:]
    for _ in 1...8 {
      let server = try await service.servers.create(service.draft(), service.owner).view.server
      onHost[server.hostID.value, default: []].append(server.id)
    }
    let running = Task { await service.runner.run() }
    await service.drivers[0].whenHanging(calls: 2)
    let others = try #require(onHost[service.fleet.hosts[1].id.value])
    for id in others {
      while try await service.status(of: id) != .active {
        await service.clock.whenSleeping()
        service.clock.advance(by: .milliseconds(100))
        await Task.yield()
      }
    }
    for id in try #require(onHost[service.fleet.hosts[0].id.value]) {
      #expect(try await service.status(of: id) == .provisioning)
    }
    service.drivers[0].configure { $0.condition = .answers }
    service.drivers[0].releaseHangingCalls()
    service.runner.stop()
    running.cancel()
    await running.value
    try await service.settle()
    #expect(try await service.contradictionsAtRest() == [])
  }
}
