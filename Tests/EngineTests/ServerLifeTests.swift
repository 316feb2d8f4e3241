import Core
import Engine
import SimulatedDriver
import TestSupport
import Testing

@Suite("The life of a server")
struct ServerLifeTests {
  @Test("A new server is provisioning without an address to show, and then active with one")
  func create() async throws {
    let service = try await TestService()
    let created = try await service.servers.create(service.draft(), service.owner)
    #expect(created.view.server.status == .provisioning)
    #expect(created.view.server.hostname.name == "web-1")
    try await service.settle()
    let (view, usage) = try await service.servers.read(created.view.server.id, service.owner)
    #expect(view.server.status == .active)
    #expect(view.server.address == IPv4Address("127.80.0.1"))
    #expect(usage.memoryUsedMiB > 0)
    #expect(try await service.driver.power(of: view.server.uuid) == .running)
  }

  @Test("A server without an SSH key has a root password that is shown once and then forgotten")
  func password() async throws {
    let service = try await TestService()
    let created = try await service.servers.create(service.draft(), service.owner)
    #expect(created.rootPassword?.count == 20)
    #expect(try await service.store.server(created.view.server.id)?.machine.rootPasswordHash?.hasPrefix("$6$") == true)
    try await service.settle()
    #expect(try await service.store.server(created.view.server.id)?.machine.rootPasswordHash == nil)
  }

  @Test("Stop, start and reboot lead to the status that the table promises")
  func power() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    #expect(try await service.servers.perform(.stop, on: id, service.owner).status == .stopping)
    try await service.settle()
    #expect(try await service.status(of: id) == .stopped)
    #expect(try await service.servers.perform(.start, on: id, service.owner).status == .starting)
    try await service.settle()
    #expect(try await service.status(of: id) == .active)
    #expect(try await service.servers.perform(.reboot, on: id, service.owner).status == .rebooting)
    try await service.settle()
    #expect(try await service.status(of: id) == .active)
  }

  @Test("A guest that ignores the request to shut down has its power taken away at the deadline")
  func forcedStop() async throws {
    var options = SimulatedDriver.Options()
    options.quirks = [.ignoresShutdown]
    let service = try await TestService(options: options)
    let id = try await service.activeServer()
    let asked = service.clock.now
    _ = try await service.servers.perform(.stop, on: id, service.owner)
    try await service.settle()
    #expect(try await service.status(of: id) == .stopped)
    #expect(service.clock.now - asked >= service.driver.timing.shutdownDeadline)
  }

  @Test("A first boot that never shows its sshd ends in error, and gives the credit back")
  func noBanner() async throws {
    var options = SimulatedDriver.Options()
    options.quirks = [.sshNeverAnswers]
    let service = try await TestService(options: options)
    let before = try await service.balance(of: service.owner)
    let id = try await service.servers.create(service.draft(), service.owner).view.server.id
    try await service.settle()
    let server = try #require(try await service.store.server(id))
    #expect(server.status == .error)
    #expect(server.statusReason == "The server did not become reachable in time.")
    #expect(try await service.balance(of: service.owner) == before)
  }

  @Test("An operating system without an image ends in error with a reason, and can be deleted")
  func noImage() async throws {
    let service = try await TestService()
    let before = try await service.balance(of: service.owner)
    let id = try await service.servers.create(service.draft(operatingSystem: 5), service.owner).view.server.id
    try await service.settle()
    let (view, _) = try await service.servers.read(id, service.owner)
    #expect(view.server.status == .error)
    #expect(view.server.statusReason?.contains("image") == true)
    #expect(try await service.balance(of: service.owner) == before)
    await #expect(throws: Failure.self) { try await service.servers.perform(.start, on: id, service.owner) }
    try await service.servers.delete(id, service.owner)
    try await service.settle()
    #expect(try await service.store.allServers().isEmpty)
  }

  @Test("A guest that does not hear the first request to shut down is asked again, and keeps its power until it is off")
  func deafAtFirst() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let machine = try #require(try await service.store.server(id)).uuid
    try service.driver.setQuirks([.ignoresShutdown], of: machine)
    _ = try await service.servers.perform(.stop, on: id, service.owner)
    while try await service.store.operations(of: id).last?.step != "awaitOff" {
      _ = try await service.runner.runNextStep()
    }
    try service.driver.setQuirks([], of: machine)
    try await service.settle()
    #expect(try await service.status(of: id) == .stopped)
    #expect(!service.driver.calls.contains { $0.method == .powerOff })
  }

  @Test("A deleted server is gone at once for its owner, and leaves no machine and no address")
  func delete() async throws {
    let service = try await TestService(addressPool: AddressPool("127.80.0.0/30")!)
    let first = try await service.activeServer()
    let second = try await service.activeServer()
    await #expect(throws: Failure.self) { try await service.servers.create(service.draft(), service.owner) }
    for id in [first, second] {
      try await service.servers.delete(id, service.owner)
      await #expect(throws: Failure.self) { try await service.servers.read(id, service.owner) }
      await #expect(throws: Failure.self) { try await service.servers.delete(id, service.owner) }
    }
    #expect(try await service.servers.list(ServerFilter(), service.owner).isEmpty)
    try await service.settle()
    #expect(try await service.driver.observe().powers.isEmpty)
    let third = try await service.activeServer()
    #expect(third > second)
  }

  @Test("A create beyond the balance is refused and leaves nothing")
  func insufficientCredit() async throws {
    let service = try await TestService(openingCredit: Money(microunits: 7_000))
    _ = try await service.servers.create(service.draft(), service.owner)
    let refused = await #expect(throws: Failure.self) {
      try await service.servers.create(service.draft(), service.owner)
    }
    #expect(refused?.code == .insufficientCredit)
    #expect(refused?.message.contains("0.005") == true)
    #expect(refused?.message.contains("0.002") == true)
    #expect(try await service.store.allServers().count == 1)
    #expect(try await service.balance(of: service.owner) == Money(microunits: 2_000))
  }

  @Test("An address that something else on the host holds is passed over")
  func occupiedAddress() async throws {
    var options = SimulatedDriver.Options()
    options.occupiedAddresses = [ServerAddress("127.80.0.1")!, ServerAddress("127.80.0.2")!]
    options.occupiedAddresses.insert(ServerAddress("2001:db8:10:1::/64")!)
    let service = try await TestService(options: options, addressPool6: IPv6Pool("2001:db8:10::/56"))
    let id = try await service.activeServer()
    let addresses = try #require(try await service.store.server(id)?.addresses.all.map(\.description))
    #expect(addresses == ["127.80.0.3", "2001:db8:10:2::/64"])
    let uuid = try #require(try await service.store.server(id)?.uuid)
    #expect(service.driver.machine(uuid)?.guestAddresses == ["127.80.0.3", "2001:db8:10:2::1"])
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("A changed hostname reaches a running guest, and a stopped one at its next start")
  func hostname() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let machine = try #require(try await service.store.server(id)?.uuid)
    _ = try await service.servers.update(id, ServerChange(hostname: Hostname("a.example.com")), service.owner)
    try await service.settle()
    #expect(service.driver.machine(machine)?.boot?.hostname == "a.example.com")
    _ = try await service.servers.perform(.stop, on: id, service.owner)
    try await service.settle()
    _ = try await service.servers.update(id, ServerChange(hostname: Hostname("b.example.com")), service.owner)
    _ = try await service.servers.perform(.start, on: id, service.owner)
    try await service.settle()
    #expect(service.driver.machine(machine)?.boot?.hostname == "b.example.com")
    #expect(try await service.status(of: id) == .active)
  }

  @Test("Two accounts see nothing of each other")
  func isolation() async throws {
    let service = try await TestService()
    let other = try await service.newCaller().caller
    let id = try await service.activeServer()
    #expect(try await service.servers.list(ServerFilter(), other).isEmpty)
    let failures = [
      await #expect(throws: Failure.self) { try await service.servers.read(id, other) },
      await #expect(throws: Failure.self) { try await service.servers.update(id, ServerChange(), other) },
      await #expect(throws: Failure.self) { try await service.servers.delete(id, other) },
      await #expect(throws: Failure.self) { try await service.servers.perform(.stop, on: id, other) },
      await #expect(throws: Failure.self) { try await service.servers.read(ID(999), other) },
    ]
    #expect(failures.allSatisfy { $0?.code == .notFound && $0?.message == "Not found." })
    #expect(try await service.status(of: id) == .active)
  }

  @Test("Another try of a server that failed before it was ready is paid for like the first one")
  func secondTry() async throws {
    var options = SimulatedDriver.Options()
    options.quirks = [.sshNeverAnswers]
    let price = Money(microunits: 5_000)
    let service = try await TestService(options: options, openingCredit: price * 2)
    let id = try await service.activeServer()
    #expect(try await service.status(of: id) == .error)
    #expect(try await service.balance(of: service.owner) == price * 2)
    let machine = try #require(try await service.store.server(id)?.uuid)
    try service.driver.setQuirks([], of: machine)
    _ = try await service.servers.perform(.start, on: id, service.owner)
    #expect(try await service.balance(of: service.owner) == price)
    try await service.settle()
    #expect(try await service.status(of: id) == .active)
    #expect(try await service.balance(of: service.owner) == price)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("A server that comes up again is active when its sshd speaks, or when its agent has answered alone for a while")
  func agentBeforeSSH() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let machine = try #require(try await service.store.server(id)?.uuid)
    try service.driver.setQuirks([.sshNeverAnswers], of: machine)
    for speaks in [true, false] {
      _ = try await service.servers.perform(.reboot, on: id, service.owner)
      try await service.run { try await service.driver.readiness(of: machine).hasAgent }
      let began = service.clock.now
      try await service.run { service.clock.now >= began + .seconds(15) }
      #expect(try await service.status(of: id) == .rebooting)
      if speaks { try service.driver.setQuirks([], of: machine) }
      try await service.settle()
      #expect(try await service.status(of: id) == .active)
      let waited = service.clock.now - began
      #expect(speaks ? waited < .seconds(17) : (Duration.seconds(20)..<Duration.seconds(25)).contains(waited))
      try service.driver.setQuirks([.sshNeverAnswers], of: machine)
    }
  }

  @Test("Another try beyond the balance is refused")
  func secondTryWithoutCredit() async throws {
    var options = SimulatedDriver.Options()
    options.quirks = [.sshNeverAnswers]
    let service = try await TestService(options: options, openingCredit: Money(microunits: 5_000))
    let id = try await service.activeServer()
    service.driver.configure { $0.quirks = [] }
    _ = try await service.activeServer()
    let refused = await #expect(throws: Failure.self) {
      try await service.servers.perform(.start, on: id, service.owner)
    }
    #expect(refused?.code == .insufficientCredit)
    #expect(try await service.status(of: id) == .error)
  }

  @Test("Where a step was not done in its time, the operator learns what went wrong last")
  func lastFailure() async throws {
    let service = try await TestService()
    let error = DriverError(.exhausted, "The disk of the host is full.")
    service.driver.inject(Fault(in: .ensureDefined, .fail(error), times: nil))
    let id = try await service.activeServer()
    let detail = try await service.store.operations(of: id).last?.operatorDetail
    #expect(detail?.contains("The disk of the host is full.") == true)
  }

  @Test("Where something else holds every address of the pool, the operator learns it")
  func allAddressesOccupied() async throws {
    var options = SimulatedDriver.Options()
    options.occupiedAddresses = [ServerAddress("127.80.0.1")!, ServerAddress("127.80.0.2")!]
    let service = try await TestService(options: options, addressPool: AddressPool("127.80.0.0/30")!)
    let id = try await service.activeServer()
    #expect(try await service.status(of: id) == .error)
    let detail = try await service.store.operations(of: id).last?.operatorDetail
    #expect(detail?.contains("No address of 127.80.0.0/30 is free.") == true)

    // Of either family.
    options.occupiedAddresses = Set((1...3).map { ServerAddress("2001:db8:10:\($0)::/64")! })
    let other = try await TestService(options: options, addressPool6: IPv6Pool("2001:db8:10::/62"))
    let server = try await other.activeServer()
    #expect(try await other.status(of: server) == .error)
    let reason = try await other.store.operations(of: server).last?.operatorDetail
    #expect(reason?.contains("No address of 2001:db8:10::/62 is free.") == true)
  }
}
