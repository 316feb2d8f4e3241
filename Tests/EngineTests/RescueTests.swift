import Core
import Engine
import Foundation
import SimulatedDriver
import TestSupport
import Testing

@Suite("A rescue system runs in the place of a server's own")
struct RescueTests {
  private func server(_ id: ID<Server>, _ service: TestService) async throws -> Server {
    try #require(try await service.store.server(id))
  }

  private func enter(_ id: ID<Server>, _ service: TestService) async throws {
    let rescue = try await service.servers.rescue(id, .init(), service.owner)
    #expect(rescue.requested.server.status == .rebooting && rescue.rootPassword != nil)
    #expect(!rescue.requested.server.isInRescue)
    try await service.settle()
    let server = try await server(id, service)
    #expect(server.status == .active && server.isInRescue)
    #expect(service.driver.machine(server.uuid)?.runsRescue == true)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test(
    "Whatever it was, it is active in the rescue system, and as it was afterwards",
    arguments: [ServerStatus.active, .stopped, .error])
  func thereAndBack(status: ServerStatus) async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let uuid = try await server(id, service).uuid
    if status == .stopped { _ = try await service.servers.perform(.stop, on: id, service.owner) }
    if status == .error {
      service.driver.inject(Fault(in: .ensureDefined, .fail(DriverError(.rejected, "no"))))
      _ = try await service.servers.perform(.reboot, on: id, service.owner)
    }
    try await service.settle()
    try service.driver.guestWrites("mine", on: uuid)
    #expect(try await service.status(of: id) == status)
    try await enter(id, service)
    let left = try await service.servers.leaveRescue(id, service.owner)
    #expect(left.server.status == .rebooting)
    try await service.settle()
    let after = try await server(id, service)
    #expect(after.status == (status == .stopped ? .stopped : .active) && !after.isInRescue)
    let machine = try #require(service.driver.machine(uuid))
    #expect(!machine.runsRescue && machine.rescueDisk == nil && machine.disk?.content == "mine")
    #expect(machine.definition?.rescue == nil)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test(
    "It comes back in the rescue system after a reboot, a stop, a crash and the end of its host, and with what was written there"
  )
  func staysThere() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let uuid = try await server(id, service).uuid
    try await enter(id, service)
    let disk = service.driver.machine(uuid)?.rescueDisk
    for action in [PowerAction.reboot, .stop, .start] {
      _ = try await service.servers.perform(action, on: id, service.owner)
      try await service.settle()
      #expect(try await service.status(of: id) == (action == .stop ? .stopped : .active))
      #expect(try await server(id, service).isInRescue)
    }
    try service.driver.crash(uuid)
    await service.monitor.pollOnce()
    try await service.settle()
    try service.driver.hostRestarts()
    let next = try await TestService(after: service)
    await next.monitor.pollOnce()
    try await next.settle()
    #expect(try await next.status(of: id) == .active)
    #expect(next.driver.machine(uuid)?.runsRescue == true)
    #expect(next.driver.machine(uuid)?.rescueDisk == disk)
    _ = try await next.servers.leaveRescue(id, next.owner)
    try await next.settle()
    #expect(try await next.status(of: id) == .active)
    #expect(next.driver.machine(uuid)?.runsRescue == false)
    #expect(try await next.contradictionsAtRest() == [])
  }

  @Test("One that is stopped in the rescue system is stopped when it is left")
  func stoppedInside() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    try await enter(id, service)
    _ = try await service.servers.perform(.stop, on: id, service.owner)
    try await service.settle()
    _ = try await service.servers.leaveRescue(id, service.owner)
    try await service.settle()
    #expect(try await service.status(of: id) == .stopped)
    #expect(try await !server(id, service).isInRescue)
    _ = try await service.servers.perform(.start, on: id, service.owner)
    try await service.settle()
    #expect(service.driver.machine(try await server(id, service).uuid)?.runsRescue == false)
  }

  @Test("What would change the disk, or copy another, is refused meanwhile, and no daily backup is made")
  func refusals() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let backup = try await service.backup(of: id)
    _ = try await service.servers.update(id, ServerChange(isBackupEnabled: true), service.owner)
    try await enter(id, service)
    let owner = service.owner
    let refused: [() async throws -> Void] = [
      { _ = try await service.servers.rebuild(id, .init(), owner) },
      { _ = try await service.resize(id) },
      { _ = try await service.backups.create(DiskCopies.Draft(server: .id(id)), owner) },
      { _ = try await service.snapshots.create(DiskCopies.Draft(server: .id(id), name: "a"), owner) },
      { _ = try await service.backups.restore(backup, owner) },
      { _ = try await service.servers.resetPassword(of: id, owner) },
    ]
    for request in refused {
      #expect(await failure(of: request)?.message == "Server is in the rescue system. Leave it first.")
    }
    let again = await failure { _ = try await service.servers.rescue(id, .init(), owner) }
    #expect(again?.message == "Server is in the rescue system already.")
    try await service.work(until: service.clock.now + .seconds(2 * 86_400))
    #expect(try await service.store.diskCopies(of: id).count == 1)
    // A host name is not the rescue system's; it comes with the server's own.
    _ = try await service.servers.update(id, ServerChange(hostname: Hostname("new.example.com")), owner)
    try await service.settle()
    let uuid = try await server(id, service).uuid
    #expect(service.driver.machine(uuid)?.boot?.hostname != "new.example.com")
    _ = try await service.servers.leaveRescue(id, owner)
    try await service.settle()
    #expect(service.driver.machine(uuid)?.boot?.hostname == "new.example.com")
    let left = await failure { _ = try await service.servers.leaveRescue(id, owner) }
    #expect(left?.message == "Server is not in the rescue system.")
  }

  @Test("A server that is on its way, suspended, or was never made has none")
  func states() async throws {
    let service = try await TestService()
    let id = try await service.servers.create(service.draft(), service.owner).view.server.id
    let early = await failure { _ = try await service.servers.rescue(id, .init(), service.owner) }
    #expect(early?.message == "Server is provisioning.")
    service.driver.configure { $0.images = [] }
    try await service.settle()
    let never = await failure { _ = try await service.servers.rescue(id, .init(), service.owner) }
    #expect(never?.message == "Server could not be created.")
    let (other, _) = try await service.newCaller()
    #expect(await failure { _ = try await service.servers.rescue(id, .init(), other) }?.code == .notFound)
  }

  @Test("Where there is no rescue system the server goes on as it was, and says why")
  func noImage() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    service.driver.configure { $0.images = [] }
    _ = try await service.servers.rescue(id, .init(), service.owner)
    try await service.settle()
    let server = try await server(id, service)
    #expect(server.status == .active && server.machine.rescue == nil)
    let operation = try #require(try await service.store.operations(of: id).last { $0.kind == .rescue })
    #expect(operation.customerReason == "The rescue system is not installed on this server's host.")
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("What keeps it from being rescued is seen while it goes on as it was")
  func impossible() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let uuid = try await server(id, service).uuid
    let reason = "The server's disk cannot be read."
    service.driver.inject(
      Fault(in: .requireRescuable, .fail(DriverError(.rejected, "no qcow2 image", customerReason: reason))))
    for words in [reason, "The server's host has no room for the rescue system at the moment."] {
      let before = service.driver.calls.count
      _ = try await service.servers.rescue(id, .init(), service.owner)
      try await service.settle()
      let server = try await server(id, service)
      #expect(server.status == .active && server.machine.rescue == nil)
      let calls = service.driver.calls.dropFirst(before).filter { $0.machine == uuid }.map(\.method)
      #expect(!calls.contains(.requestShutdown) && !calls.contains(.powerOff))
      let operation = try #require(try await service.store.operations(of: id).last { $0.kind == .rescue })
      #expect(operation.customerReason == words)
      service.driver.configure { $0.isDiskFull = true }
    }
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("Its disk is part of what servers have of the host, from when it is asked for until it is gone")
  func reservation() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    func storage() async throws -> [Int] { try await service.store.hosts().map(\.reserved.storageGiB) }
    let before = try await storage()
    _ = try await service.servers.rescue(id, .init(), service.owner)
    #expect(try await storage().reduce(0, +) == before.reduce(0, +) + Rescue.storageGiB)
    #expect(try await service.contradictions() == [])
    try await service.settle()
    _ = try await service.servers.leaveRescue(id, service.owner)
    try await service.settle()
    #expect(try await storage() == before)
    try await enter(id, service)
    let entered = try await storage()
    #expect(entered != before)
    try await service.servers.delete(id, service.owner)
    #expect(try await storage() == entered)
    #expect(try await service.contradictions() == [])
    try await service.settle()
    #expect(try await storage().allSatisfy { $0 == 0 })
    #expect(try await service.contradictions() == [])
  }

  @Test("A rescue system that does not boot is an error that can be left")
  func doesNotBoot() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let uuid = try await server(id, service).uuid
    try service.driver.setQuirks([.sshNeverAnswers, .agentNeverAnswers], of: uuid)
    _ = try await service.servers.rescue(id, .init(), service.owner)
    try await service.settle()
    #expect(try await service.status(of: id) == .error)
    try service.driver.setQuirks([], of: uuid)
    _ = try await service.servers.leaveRescue(id, service.owner)
    try await service.settle()
    #expect(try await service.status(of: id) == .active)
    #expect(service.driver.machine(uuid)?.runsRescue == false)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("The server's own first boot, password and key are what they were")
  func ownDisk() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let before = try await server(id, service).machine
    let rescue = try await service.servers.rescue(id, .init(), service.owner)
    try await service.run(until: { try await service.store.server(id)?.isInRescue == true })
    let hash = try await server(id, service).machine.rescue?.rootPasswordHash
    #expect(hash?.hasPrefix("$6$") == true && rescue.rootPassword != nil)
    try await service.settle()
    #expect(try await server(id, service).machine.rescue?.rootPasswordHash == nil)
    _ = try await service.servers.leaveRescue(id, service.owner)
    try await service.settle()
    #expect(try await server(id, service).machine == before)
  }

  @Test("A delete takes the rescue system with it, whether it is protected from backups or not")
  func delete() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    try await enter(id, service)
    try await service.servers.delete(id, service.owner)
    try await service.settle()
    #expect(try await service.leftovers() == [])
    #expect(try await service.contradictions() == [])
  }
}
