import Core
import Foundation
import SimulatedDriver
import TestSupport
import Testing

@testable import Engine

@Suite("Where storage is shared, the servers of a host that is lost start elsewhere, once")
struct LostHostTests {
  private func server(_ id: ID<Server>, _ service: TestService) async throws -> Server {
    try #require(try await service.store.server(id))
  }

  private func host(_ service: TestService, _ number: Int = 0) async throws -> Core.Host {
    try await service.store.hosts()[number].host
  }

  private func reason(_ id: ID<Server>, _ service: TestService) async throws -> String? {
    try await service.servers.read(id, service.owner).0.statusReason
  }

  /// What must hold once the lost host is back.
  private func expectRest(_ service: TestService) async throws {
    try await service.settleEverywhere()
    #expect(try await service.contradictionsAtRest() == [])
    for row in try await service.store.allServers() where row.machine.hasDisk {
      let disk = try #require(try service.driver.sharedDisk(row.uuid))
      let own = try #require(service.fleet.hosts.first { $0.id == row.hostID })
      #expect(disk.owner == own.name && disk.openedBy ?? own.name == own.name)
    }
  }

  @Test("Those that ran run there, those that were off stay off; addresses, disks and copies are the same")
  func taken() async throws {
    let (service, ids) = try await TestService.withSharedStorage(servers: 2)
    let before = [try await server(ids[0], service), try await server(ids[1], service)]
    try service.driver.guestWrites("precious", on: before[0].uuid)
    let backup = try await service.backup(of: ids[0])
    _ = try await service.servers.perform(.stop, on: ids[1], service.owner)
    try await service.settle()
    try await service.lose()
    #expect(try await reason(ids[0], service) == Fleet.awayReason)
    service.clock.advance(by: .seconds(59))
    await service.keepFences()
    #expect(service.fence.calls == [])
    #expect(try await host(service).state == .away)
    service.clock.advance(by: .seconds(1))
    await service.keepFences()
    #expect(service.fence.calls == ["us-west/1"])
    #expect(try await host(service).state == .fenced)
    #expect(try await service.places(ids) == ["us-west/2", "us-west/2"])
    #expect(try await service.contradictions() == [])
    // Nothing is done for them before the new host has taken the machines over.
    #expect(try await service.store.claimOperation(on: service.fleet.hosts[1].id, at: service.clock.now) == nil)
    try await service.settleEverywhere()
    let after = [try await server(ids[0], service), try await server(ids[1], service)]
    #expect(after.map(\.status) == [.active, .stopped] && after.map(\.addresses) == before.map(\.addresses))
    #expect(service.drivers[1].machine(before[0].uuid)?.disk?.content == "precious")
    #expect(service.drivers[1].calls.count { $0.method == .start } == 1)
    let history = try await service.servers.history(of: ids[0], isNewestFirst: true, page: .first, service.owner)
      .elements
    #expect(history.prefix(2).map(\.kind) == [.recover, .move] && history.allSatisfy { $0.state == .succeeded })
    #expect(history[1].move?.fromLocation == "us-west" && history[1].move?.toLocation == "us-west")
    // What the lost host may still have keeps its room.
    #expect(try await service.store.hosts().map(\.reserved.vcpus) == [2, 2, 0])
    await service.waitForFence()
    #expect(service.fence.calls.count == 1)
    try service.drivers[1].guestWrites("later", on: before[0].uuid)
    _ = try await service.backups.restore(backup, service.owner)
    try await service.settle()
    #expect(service.drivers[1].machine(before[0].uuid)?.disk?.content == "precious")

    try await service.bringBack()
    #expect(try await host(service).state == .draining)
    try await expectRest(service)
    #expect(service.driver.machine(before[0].uuid) == nil && service.driver.copies.isEmpty)
    #expect(try await service.store.hosts().map(\.reserved.vcpus) == [0, 2, 0])
    #expect(try await service.places([try await service.activeServer()]) == ["us-west/2"])
    _ = try await service.store.setDraining(false, host: "us-west/1", at: service.clock.now)
    #expect(try await host(service).state == .active)
    #expect(try await service.places([try await service.activeServer()]) == ["us-west/1"])
    for id in ids { try await service.servers.delete(id, service.owner) }
    try await expectRest(service)
  }

  @Test("A host that cannot be switched off keeps its servers, which is tried again, less and less often")
  func fails() async throws {
    let (service, ids) = try await TestService.withSharedStorage()
    service.fence.behave(.fails)
    try await service.lose()
    await service.waitForFence()
    #expect(try await host(service).state == .fencing)
    #expect(try await host(service).fenceFailure == "the power switch does not answer")
    for pause in [10, 20, 40] {
      let calls = service.fence.calls.count
      service.clock.advance(by: .seconds(pause - 1))
      await service.keepFences()
      #expect(service.fence.calls.count == calls)
      service.clock.advance(by: .seconds(1))
      await service.keepFences()
      #expect(service.fence.calls.count == calls + 1)
    }
    #expect(try await service.places(ids) == ["us-west/1"])
    #expect(try await reason(ids[0], service) == Fleet.awayReason)
    service.fence.behave(.works)
    service.clock.advance(by: .seconds(80))
    await service.keepFences()
    #expect(try await host(service).fenceFailure == nil)
    #expect(try await service.places(ids) == ["us-west/2"])
    try await service.bringBack()
    try await expectRest(service)
  }

  @Test(
    "One that comes back after a failure is as any other, and away again it is switched off before anything is taken")
  func comesBack() async throws {
    let (service, ids) = try await TestService.withSharedStorage()
    service.fence.behave(.fails)
    try await service.lose()
    await service.waitForFence()
    try await service.bringBack()
    #expect(try await host(service).state == .active)
    #expect(try await host(service).fenceFailure == nil)
    service.fence.behave(.works)
    try await service.lose()
    #expect(service.fence.calls.count == 1)
    await service.waitForFence()
    #expect(service.fence.calls.count == 2)
    #expect(try await service.places(ids) == ["us-west/2"])
    try await service.bringBack()
    // The fence of the last time counts for nothing.
    let late = try await service.store.takeNextServer(
      from: service.fleet.hosts[0].id, after: nil, to: [service.fleet.hosts[1].id],
      resuming: ResumedSteps(define: "define", afterDefine: [], cleanCopy: "clean"), at: service.clock.now)
    #expect(late == nil)
    try await expectRest(service)
  }

  @Test("One that comes back while it is being switched off keeps its servers")
  func comesBackMeanwhile() async throws {
    let (service, ids) = try await TestService.withSharedStorage()
    service.fence.behave(.worksAfter { try? await service.bringBackAlone() })
    try await service.lose()
    await service.waitForFence()
    #expect(try await host(service).state == .active)
    #expect(try await service.places(ids) == ["us-west/1"])
    // Its power was cut nevertheless.
    try await expectRest(service)
    let machine = try await server(ids[0], service).uuid
    #expect(try await service.status(of: ids[0]) == .active && service.driver.machine(machine)?.boot != nil)
  }

  @Test("Where the command lies, nothing runs twice: the disk is refused until the host that has it lets go of it")
  func lies() async throws {
    let (service, ids) = try await TestService.withSharedStorage()
    let machine = try await server(ids[0], service).uuid
    service.fence.behave(.lies)
    try await service.lose()
    await service.waitForFence()
    #expect(try await service.places(ids) == ["us-west/2"])
    for _ in 1...3 {
      try await service.settleEverywhere()
      #expect(service.openings(of: machine) == 1 && service.driver.machine(machine)?.boot != nil)
    }
    #expect(try #require(try service.driver.sharedDisk(machine)).refusalCount >= 3)
    #expect(try await service.status(of: ids[0]) == .starting)
    try await service.bringBack()
    try await expectRest(service)
    #expect(service.driver.machine(machine) == nil)
    #expect(try await service.status(of: ids[0]) == .active)
  }

  @Test("Those without room wait, and say so; they go when there is some, or run again where they were")
  func withoutRoom() async throws {
    let (service, ids) = try await TestService.withSharedStorage(servers: 3)
    service.drivers[1].configure { $0.capacity = HostCapacity(vcpus: 1, memoryMiB: 512, storageGiB: 5) }
    await service.monitor.pollOnce()
    try await service.lose()
    await service.waitForFence()
    #expect(try await service.places(ids) == ["us-west/2", "us-west/1", "us-west/1"])
    #expect(try await reason(ids[1], service) == Fleet.lostReason)
    service.drivers[1].configure { $0.capacity = HostCapacity(vcpus: 2, memoryMiB: 1024, storageGiB: 10) }
    try await service.settleEverywhere()
    await service.keepFences()
    #expect(try await service.places(ids) == ["us-west/2", "us-west/2", "us-west/1"])
    try await service.settleEverywhere()
    try await service.bringBack()
    try await expectRest(service)
    #expect(try await service.places(ids) == ["us-west/2", "us-west/2", "us-west/1"])
    for id in ids { #expect(try await service.status(of: id) == .active) }
  }

  @Test("What is ordered while the host is away is carried out where the server comes up")
  func orders() async throws {
    let (service, ids) = try await TestService.withSharedStorage(servers: 4)
    let machines = [try await server(ids[0], service).uuid, try await server(ids[2], service).uuid]
    try service.driver.guestWrites("old", on: machines[1])
    try await service.lose()
    try await service.servers.delete(ids[0], service.owner)
    _ = try await service.servers.perform(.stop, on: ids[1], service.owner)
    _ = try await service.servers.rebuild(ids[2], .init(), service.owner)
    let copy = try await service.backups.create(DiskCopies.Draft(server: .id(ids[3])), service.owner)
    await service.waitForFence()
    #expect(try await service.contradictions() == [])
    try await service.settleEverywhere()
    #expect(try await service.status(of: ids[0]) == nil)
    #expect(try service.driver.sharedDisk(machines[0]) == nil)
    #expect(try await service.status(of: ids[1]) == .stopped)
    #expect(try await service.status(of: ids[2]) == .active)
    #expect(service.drivers[1].machine(machines[1])?.disk?.content == nil)
    // Nobody waits for a copy before the server is up again.
    #expect(try await service.status(of: ids[3]) == .active)
    #expect(try await service.backups.read(copy.id, service.owner).status == .failed)
    #expect(try await service.backup(of: ids[3]) != copy.id)
    try await service.bringBack()
    try await expectRest(service)
  }

  @Test("More than half of a location away is this service's own trouble: nothing is switched off")
  func outnumbered() async throws {
    let three = (1...3).map { HostDeclaration(name: "us-west/\($0)", location: "us-west", driver: "simulated") }
    let service = try await TestService(hosts: three, sharesStorage: true)
    let id = try await service.activeServer()
    for number in 0...1 { try await service.lose(host: number) }
    await service.waitForFence()
    #expect(service.fence.calls == [])
    try await service.bringBack(host: 1)
    service.clock.advance(by: .seconds(5))
    await service.keepFences()
    #expect(service.fence.calls == ["us-west/1"])
    try await service.bringBack()
    try await expectRest(service)
    #expect(try await service.status(of: id) == .active)
  }

  @Test("A host that has nothing, or whose disks nobody else reaches, is not switched off")
  func nothingToTake() async throws {
    let (service, _) = try await TestService.withSharedStorage()
    try await service.lose(host: 1)
    try await service.lose(host: 2)
    await service.waitForFence()
    #expect(service.fence.calls == [])
  }

  @Test("One that an operator lets back keeps what it still has, and is not switched off before it has answered")
  func released() async throws {
    let (service, ids) = try await TestService.withSharedStorage(servers: 2)
    service.drivers[1].configure { $0.capacity = HostCapacity(vcpus: 1, memoryMiB: 512, storageGiB: 5) }
    await service.monitor.pollOnce()
    try await service.lose()
    await service.waitForFence()
    _ = try await service.store.setDraining(false, host: "us-west/1", at: service.clock.now)
    #expect(try await host(service).state == .away)
    service.drivers[1].configure { $0.capacity = nil }
    await service.monitor.pollOnce()
    await service.waitForFence()
    #expect(service.fence.calls.count == 1)
    #expect(try await service.places(ids) == ["us-west/2", "us-west/1"])
    // It may be coming up with the machine that the other host has not taken over yet.
    #expect(try await service.status(of: ids[0]) == .starting)
    try await service.bringBack()
    try await expectRest(service)
    #expect(try await host(service).state == .active)
    try await service.lose()
    await service.waitForFence()
    #expect(service.fence.calls.count == 2)
    #expect(try await service.places(ids) == ["us-west/2", "us-west/2"])
  }

  @Test("A host that is lost with a machine that it has not taken over yet passes it on")
  func twice() async throws {
    let four = (1...4).map { HostDeclaration(name: "us-west/\($0)", location: "us-west", driver: "simulated") }
    let service = try await TestService(hosts: four, sharesStorage: true)
    let id = try await service.activeServer()
    let machine = try await server(id, service).uuid
    try await service.lose(host: 0)
    await service.waitForFence()
    #expect(try await service.places([id]) == ["us-west/2"])
    try await service.lose(host: 1)
    await service.waitForFence()
    #expect(try await service.places([id]) == ["us-west/3"])
    try await service.settleEverywhere()
    #expect(try await service.status(of: id) == .active && service.openings(of: machine) == 1)
    try await service.bringBack(host: 0)
    try await service.bringBack(host: 1)
    try await expectRest(service)
    #expect(try await service.store.hosts().map(\.reserved.vcpus) == [0, 0, 1, 0])
  }

  @Test("A move that was under way to another host is ended, and the server comes up where its disk is reached")
  func moving() async throws {
    let (service, ids) = try await TestService.withSharedStorage()
    try await service.move(ids[0])
    try await service.run { try await service.store.operations(of: ids[0]).last?.step == "receive" }
    try await service.lose()
    await service.waitForFence()
    #expect(try await service.contradictions() == [])
    try await service.settleEverywhere()
    #expect(try await service.places(ids) == ["us-west/2"])
    #expect(try await service.status(of: ids[0]) == .active)
    try await service.bringBack()
    try await expectRest(service)
  }

  @Test("Of two hosts, the one that a lost server was on its way to starts it, however far it had come")
  func movingWithinItsLocation() async throws {
    var (seen, hasMoved): (Set<String>, Bool) = ([], false)
    for count in 0..<100 where !hasMoved {
      let (service, ids) = try await TestService.withTwoHosts()
      let machine = try await server(ids[0], service).uuid
      let hosts = OperatorHosts(store: service.store, clock: service.clock)
      _ = try await hosts.setDraining(true, service.fleet.hosts[0].id, .movesServers(at: nil), by: .host)
      await service.monitor.pollOnce()
      for _ in 0..<count {
        try await service.step()
        await service.monitor.pollOnce()
      }
      hasMoved = try await service.places(ids) != ["us-west/1"]
      if hasMoved { continue }
      let move = try #require(try await service.store.operations(of: ids[0]).last { $0.kind == .move })
      let context: Comment = "lost after \(count) steps, at \(move.step ?? "the first one")"
      seen.insert(move.step ?? FindHost.firstStep.rawValue)
      let refusals = try service.driver.sharedDisk(machine)?.refusalCount
      try await service.lose()
      await service.waitForFence()
      // The other one may have a part of it, which it removes first.
      #expect(try await service.places(ids) == ["us-west/1"], context)
      #expect(try await service.status(of: ids[0]) == .active, context)
      #expect(try await reason(ids[0], service) == Fleet.lostReason, context)
      #expect(try await service.contradictions() == [], context)
      await service.monitor.pollOnce()
      await service.keepFences()
      #expect(try await service.places(ids) == ["us-west/2"], context)
      try await service.settleEverywhere()
      #expect(try await service.status(of: ids[0]) == .active, context)
      #expect(service.drivers[1].machine(machine)?.boot != nil, context)
      #expect(try service.driver.sharedDisk(machine)?.refusalCount == refusals, context)
      #expect(try await service.store.operations(of: ids[0]).first { $0.id == move.id }?.state == .failed, context)
      try await service.bringBack()
      try await expectRest(service)
      #expect(try await service.places(ids) == ["us-west/2"], context)
    }
    #expect(hasMoved && seen.isSuperset(of: ["findHost", "requestShutdown", "awaitOff", "receive"]), "\(seen)")
  }

  @Test("One that was off on its way stays off")
  func movingWhileOff() async throws {
    let (service, ids) = try await TestService.withTwoHosts()
    _ = try await service.servers.perform(.stop, on: ids[0], service.owner)
    try await service.settle()
    let hosts = OperatorHosts(store: service.store, clock: service.clock)
    _ = try await hosts.setDraining(true, service.fleet.hosts[0].id, .movesServers(at: nil), by: .host)
    await service.monitor.pollOnce()
    try await service.run { try await service.store.operations(of: ids[0]).last?.step == "receive" }
    try await service.lose()
    await service.waitForFence()
    #expect(try await service.status(of: ids[0]) == .stopped)
    await service.monitor.pollOnce()
    await service.keepFences()
    #expect(try await service.places(ids) == ["us-west/2"])
    try await service.settleEverywhere()
    #expect(try await service.status(of: ids[0]) == .stopped)
    try await service.bringBack()
    try await expectRest(service)
  }

  @Test("A server in the rescue system comes up in it")
  func rescue() async throws {
    let (service, ids) = try await TestService.withSharedStorage()
    service.drivers[0].configure { $0.images.insert(Rescue.imageName) }
    service.drivers[1].configure { $0.images.insert(Rescue.imageName) }
    _ = try await service.servers.rescue(ids[0], .init(), service.owner)
    try await service.settle()
    try await service.lose()
    await service.waitForFence()
    #expect(try await service.contradictions() == [])
    try await service.settleEverywhere()
    let after = try await server(ids[0], service)
    #expect(after.status == .active && after.isInRescue)
    #expect(service.drivers[1].machine(after.uuid)?.runsRescue == true)
    try await service.bringBack()
    try await expectRest(service)
  }
}

extension TestService {
  /// As `bringBack`, for what happens in the middle of a fence.
  fileprivate func bringBackAlone() async throws {
    try FileManager.default.removeItem(
      at: Self.directory(of: fleet.hosts[0].name, in: directory).appendingPathComponent("away"))
    await monitor.pollOnce()
  }
}
