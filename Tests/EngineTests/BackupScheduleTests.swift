import Core
import Engine
import SimulatedDriver
import TestSupport
import Testing

@Suite("Automatic backups")
struct BackupScheduleTests {
  /// 03:00 of the day after the service began.
  private static let first = Timestamp(wireFormat: "2025-01-17T03:00:00Z")!
  private static let day = Duration.seconds(86_400)

  @Test("An automatic backup happens at 03:00 and expires after 31 days")
  func daily() async throws {
    let service = try await TestService()
    let id = try await server(of: service)
    try await service.work(until: Self.first - .seconds(1))
    #expect(try await backups(of: service).isEmpty)
    try await service.work(until: Self.first)
    let backup = try #require(try await backups(of: service).first)
    #expect(backup.serverID == id)
    #expect(backup.kind == .automatic)
    #expect(backup.description == "Automatic daily backup")
    #expect(backup.createdAt == Self.first)
    #expect(backup.expiresAt == Timestamp(wireFormat: "2025-02-17T03:00:00Z"))
    #expect(try await backups(of: service).map(\.status) == [.completed])
    #expect(try await service.status(of: id) == .active)

    for number in 1...30 {
      service.clock.advance(to: Self.first + Self.day * number)
      try await service.work(until: service.clock.now)
    }
    service.clock.advance(to: Self.first + Self.day * 31 - .seconds(1))
    try await service.work(until: service.clock.now)
    #expect(try await backups(of: service).count == 31)
    #expect(service.driver.copies[backup.uuid] != nil)
    try await service.work(until: Self.first + Self.day * 31)
    #expect(try await backups(of: service).count == 31)
    #expect(try await !backups(of: service).contains { $0.id == backup.id })
    #expect(service.driver.copies[backup.uuid] == nil)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("There is one a day, however often the service restarts and whoever looks")
  func once() async throws {
    let service = try await TestService()
    _ = try await server(of: service)
    service.clock.advance(to: Self.first)
    for _ in 1...3 { try await service.work(until: service.clock.now + .seconds(60)) }
    let next = try await TestService(after: service)
    for schedule in [service.schedule, next.schedule, next.schedule] {
      await schedule.pollOnce()
      try await next.work(until: next.clock.now + .seconds(3600))
    }
    #expect(try await backups(of: next).count == 1)
    try await next.work(until: Self.first + Self.day)
    #expect(try await backups(of: next).count == 2)
  }

  @Test("A service that was down at 03:00 makes the backup of that day when it is back, and none of the days before")
  func missed() async throws {
    let service = try await TestService()
    _ = try await server(of: service)
    service.clock.advance(to: Self.first + Self.day * 4 + .seconds(7 * 3600))
    let next = try await TestService(after: service)
    try await next.work(until: next.clock.now + .seconds(60))
    #expect(try await backups(of: next).count == 1)
    try await next.work(until: Self.first + Self.day * 5)
    #expect(try await backups(of: next).count == 2)
  }

  @Test("Only servers that are to have backups and have a disk get one, whether they run or not")
  func whose() async throws {
    let service = try await TestService()
    let running = try await server(of: service)
    let stopped = try await server(of: service)
    _ = try await service.servers.perform(.stop, on: stopped, service.owner)
    _ = try await service.activeServer()
    var failing = service.draft(operatingSystem: 5)
    failing.isBackupEnabled = true
    _ = try await service.servers.create(failing, service.owner)
    let deleted = try await server(of: service)
    try await service.servers.delete(deleted, service.owner)
    try await service.settle()
    try await service.work(until: Self.first + .seconds(3600))
    #expect(try await Set(backups(of: service).map(\.serverID)) == [running, stopped])
    #expect(try await service.status(of: stopped) == .stopped)
  }

  @Test("A server that is to have backups from now on has its first one at the next 03:00")
  func later() async throws {
    let service = try await TestService()
    try await service.work(until: service.clock.now)
    let id = try await service.activeServer()
    _ = try await service.servers.update(id, ServerChange(isBackupEnabled: true), service.owner)
    try await service.work(until: Self.first - .seconds(1))
    #expect(try await backups(of: service).isEmpty)
    try await service.work(until: Self.first)
    #expect(try await backups(of: service).count == 1)
  }

  @Test("They are made one after the other, and a server waits for its turn without being kept from its work")
  func spread() async throws {
    var options = SimulatedDriver.Options()
    options.copyDuration = .seconds(300)
    options.timing = MachineTiming(
      bootDeadline: .seconds(60), shutdownDeadline: .seconds(30), pollInterval: .seconds(5))
    let service = try await TestService(options: options)
    var servers: [ID<Server>] = []
    for _ in 1...4 { servers.append(try await server(of: service)) }
    service.clock.advance(to: Self.first)
    await service.schedule.pollOnce()
    // Its backup is due, and not begun.
    _ = try await service.servers.perform(.stop, on: servers[3], service.owner)
    var most = 0
    while service.clock.now < Self.first + .seconds(3600) {
      let next = await service.schedule.pollOnce()
      while try await service.runner.runNextStep() {}
      most = max(most, service.driver.copies.values.filter { !$0.isWhole }.count)
      if service.clock.now >= Self.first + .seconds(60) {
        #expect(try await service.status(of: servers[3]) == .stopped)
      }
      service.clock.advance(to: min(next, try await service.nextOperationDue() ?? next))
    }
    #expect(most == 1)
    #expect(try await backups(of: service).map(\.status) == Array(repeating: .completed, count: 4))
  }

  @Test("Each host makes its own, and one that is away keeps no other from it and makes them when it is back")
  func awayHost() async throws {
    let service = try await TestService(hosts: TestService.threeHosts)
    var servers: [[ID<Server>]] = [[], []]
    for _ in 1...4 {
      let id = try await server(of: service)
      let isOnFirst = try await service.store.server(id)?.hostID == service.fleet.hosts[0].id
      servers[isOnFirst ? 0 : 1].append(id)
    }
    #expect(servers.map(\.count) == [2, 2])
    await service.silence(host: 0)
    try await service.work(until: Self.first + .seconds(3600))
    let made = try await backups(of: service)
    #expect(Set(made.map(\.serverID)) == Set(servers[1]))
    #expect(made.allSatisfy { $0.status == .completed })
    await service.comeBack(host: 0)
    await service.schedule.pollOnce()
    #expect(try await backups(of: service).count == 3)
    try await service.work(until: Self.first + .seconds(7200))
    #expect(try await Set(backups(of: service).map(\.serverID)) == Set(servers[0] + servers[1]))
    #expect(try await backups(of: service).count == 4)
    #expect(try await service.contradictionsAtRest() == [])
    service.clock.advance(to: Self.first + Self.day)
    await service.schedule.pollOnce()
    #expect(try await backups(of: service).count { $0.status == .pending } == 2)
  }

  @Test("A clock that was wrong for a while keeps nobody from backups for longer than that")
  func wrongClock() async throws {
    let service = try await TestService()
    _ = try await server(of: service)
    try await service.work(until: Self.first)
    service.clock.advance(to: Self.first + Self.day * 3650)
    try await service.work(until: service.clock.now)
    service.clock.setTimeOfDay(to: Self.first + Self.day * 2)
    try await service.work(until: Self.first + Self.day * 3)
    #expect(try await backups(of: service).contains { $0.createdAt == Self.first + Self.day * 3 })
  }

  @Test("A clock that jumps a month ahead takes no backup away, not even where the service starts meanwhile")
  func jumpAhead() async throws {
    let service = try await TestService()
    _ = try await server(of: service)
    for number in 0...4 { try await work(service, until: Self.first + Self.day * number) }
    let before = try await backups(of: service).map(\.id)
    #expect(before.count == 5)
    service.clock.setTimeOfDay(to: service.clock.now + Self.day * 31)
    try await service.work(until: service.clock.now + .seconds(3600))
    let next = try await TestService(after: service)
    try await next.work(until: next.clock.now + .seconds(3600))
    #expect(try await Set(backups(of: next).map(\.id)).isSuperset(of: before))
    next.clock.setTimeOfDay(to: next.clock.now - Self.day * 31)
    for _ in 1...3 { try await work(next, until: next.clock.now + Self.day) }
    #expect(try await Set(backups(of: next).map(\.id)).isSuperset(of: before))
  }

  @Test("A clock that goes on evenly for a day is believed, and then what has expired goes")
  func believed() async throws {
    let service = try await TestService()
    let id = try await server(of: service)
    for number in 0...4 { try await work(service, until: Self.first + Self.day * number) }
    _ = try await service.servers.update(id, ServerChange(isBackupEnabled: false), service.owner)
    service.clock.setTimeOfDay(to: service.clock.now + Self.day * 90)
    try await service.work(until: service.clock.now)
    try await work(service, until: service.clock.now + Self.day - .seconds(3600))
    #expect(try await backups(of: service).count == 5)
    try await work(service, until: service.clock.now + .seconds(7200))
    #expect(try await backups(of: service).count == 1)
  }

  @Test("The newest backup of a server that is whole never expires")
  func newest() async throws {
    let service = try await TestService()
    let id = try await server(of: service)
    for number in 0...1 { try await work(service, until: Self.first + Self.day * number) }
    let newest = try #require(try await backups(of: service).map(\.id).max())
    service.driver.inject(Fault(in: .ensureCopied, .fail(DriverError(.rejected, "no"))))
    try await work(service, until: Self.first + Self.day * 2)
    _ = try await service.servers.update(id, ServerChange(isBackupEnabled: false), service.owner)
    for number in 3...70 { try await work(service, until: Self.first + Self.day * number) }
    #expect(try await backups(of: service).filter { $0.status == .completed }.map(\.id) == [newest])
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("It wakes by itself when the time has come")
  func wakes() async throws {
    let service = try await TestService()
    _ = try await server(of: service)
    let schedule = Task { await service.schedule.run() }
    while service.clock.now < Self.first {
      await service.clock.whenSleeping()
      service.clock.advance(to: try #require(service.clock.nextDeadline))
    }
    await service.clock.whenSleeping()
    schedule.cancel()
    #expect(service.clock.now == Self.first)
    #expect(try await backups(of: service).map(\.status) == [.pending])
  }

  /// With one look at the end, however long that takes.
  private func work(_ service: TestService, until moment: Timestamp) async throws {
    service.clock.advance(to: moment)
    try await service.work(until: moment)
  }

  private func server(of service: TestService) async throws -> ID<Server> {
    await service.schedule.pollOnce()
    var draft = service.draft()
    draft.isBackupEnabled = true
    let created = try await service.servers.create(draft, service.owner)
    try await service.settle()
    return created.view.server.id
  }

  private func backups(of service: TestService) async throws -> [DiskCopy] {
    try await service.backups.list(DiskCopyFilter(), service.owner).elements
  }
}
