import Core
import Engine
import SimulatedDriver
import TestSupport
import Testing

@Suite("Backups and snapshots")
struct DiskCopyTests {
  static let refusal = DriverError(.rejected, "sector 7", customerReason: "The disk cannot be read.")

  @Test("A copy is pending at first, and then whole; its server is left alone", arguments: DiskCopy.Family.allCases)
  func create(family: DiskCopy.Family) async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let copies = family == .backup ? service.backups : service.snapshots
    let draft = DiskCopies.Draft(server: .id(id), name: "a", description: "before the update")
    let pending = try await copies.create(draft, service.owner)
    #expect(pending.status == .pending)
    #expect(pending.kind == (family == .backup ? .manual : .snapshot))
    #expect(pending.sizeBytes == nil && pending.checksum == nil && pending.expiresAt == nil)
    try await service.settle()
    let copy = try await copies.read(pending.id, service.owner)
    #expect(copy.status == .completed)
    #expect(copy.description == "before the update")
    #expect(copy.sizeBytes ?? 0 > 0)
    #expect(copy.checksum?.isEmpty == false)
    #expect(try await service.status(of: id) == .active)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("A guest that has just booted is given the time to get ready for a copy, and one without an agent only so much")
  func guestAgent() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let machine = try #require(try await service.store.server(id)).uuid
    try service.driver.setQuirks([.agentNeverAnswers], of: machine)
    let draft = DiskCopies.Draft(server: .id(id))
    _ = try await service.backups.create(draft, service.owner)
    for _ in 1...10 {
      while try await service.runner.runNextStep() {}
      #expect(service.driver.copies.isEmpty)
      service.clock.advance(by: .seconds(2))
    }
    try service.driver.setQuirks([], of: machine)
    while try await service.runner.runNextStep() {}
    #expect(service.driver.copies.count == 1)
    try service.driver.setQuirks([.agentNeverAnswers], of: machine)
    let (asked, second) = (service.clock.now, try await service.backup(of: id))
    #expect(try await service.backups.read(second, service.owner).status == .completed)
    #expect(service.clock.now - asked >= .seconds(30))
  }

  @Test("A restore brings the old content back, and an active server comes back active")
  func restoreActive() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let machine = try #require(try await service.store.server(id)).uuid
    try service.driver.guestWrites("old", on: machine)
    let backup = try await service.backup(of: id)
    try service.driver.guestWrites("new", on: machine)
    let requested = try await service.backups.restore(backup, service.owner)
    #expect(requested.server.status == .rebooting)
    #expect(requested.operation.kind == .restore)
    await #expect(throws: Failure.self) { _ = try await service.servers.perform(.stop, on: id, service.owner) }
    try await service.settle()
    #expect(try await service.status(of: id) == .active)
    #expect(service.driver.machine(machine)?.disk?.content == "old")
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("A stopped server can be copied and restored, and stays stopped")
  func restoreStopped() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let machine = try #require(try await service.store.server(id)).uuid
    _ = try await service.servers.perform(.stop, on: id, service.owner)
    try await service.settle()
    try service.driver.guestWrites("old", on: machine)
    let draft = DiskCopies.Draft(server: .id(id), name: "a")
    let snapshot = try await service.snapshots.create(draft, service.owner).id
    try await service.settle()
    try service.driver.guestWrites("new", on: machine)
    #expect(try await service.snapshots.restore(snapshot, service.owner).server.status == .stopped)
    try await service.settle()
    #expect(try await service.status(of: id) == .stopped)
    #expect(service.driver.machine(machine)?.disk?.content == "old")
  }

  @Test("A restore is a way out of an error")
  func restoreInError() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let backup = try await service.backup(of: id)
    service.driver.inject(Fault(in: .start, .fail(Self.refusal)))
    _ = try await service.servers.perform(.reboot, on: id, service.owner)
    try await service.settle()
    #expect(try await service.status(of: id) == .error)
    #expect(try await service.backups.restore(backup, service.owner).server.status == .rebooting)
    try await service.settle()
    #expect(try await service.status(of: id) == .active)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("A restore brings back the system that the disk had, also where a rebuild failed", arguments: [false, true])
  func restoreAfterRebuild(failing: Bool) async throws {
    var options = SimulatedDriver.Options()
    options.images = ["debian-12", "ubuntu-22.04"]
    let service = try await TestService(options: options)
    let id = try await service.activeServer()
    let machine = try #require(try await service.store.server(id)).uuid
    try service.driver.guestWrites("old", on: machine)
    let backup = try await service.backup(of: id)
    if failing { service.driver.inject(Fault(in: .ensureDiskAbsent, .fail(Self.refusal))) }
    var draft = Servers.RebuildDraft()
    draft.operatingSystem = .id(ID(5))
    _ = try await service.servers.rebuild(id, draft, service.owner)
    try await service.settle()
    let rebuilt = try #require(try await service.store.server(id))
    #expect(rebuilt.status == (failing ? .error : .active))
    #expect(rebuilt.operatingSystemID == ID(5))
    // There is nothing of the new system that could be copied where it never came to be.
    let second = try await service.backups.read(try await service.backup(of: id), service.owner)
    #expect(second.status == (failing ? .failed : .completed))

    _ = try await service.backups.restore(backup, service.owner)
    try await service.settle()
    let restored = try #require(try await service.store.server(id))
    #expect(restored.status == .active)
    #expect(restored.operatingSystemID == ID(3))
    #expect(service.driver.machine(machine)?.disk?.content == "old")
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("A copy that is damaged is not restored: the server comes back with the disk it had")
  func damaged() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let server = try #require(try await service.store.server(id))
    let backup = try await service.backup(of: id)
    try service.driver.guestWrites("new", on: server.uuid)
    try service.driver.damageCopy(try await service.backups.read(backup, service.owner).uuid)
    let operation = try await service.backups.restore(backup, service.owner).operation.id
    try await service.settle()
    #expect(try await service.store.operation(operation)?.customerReason == "The copy of the disk is damaged.")
    #expect(try await service.status(of: id) == .active)
    #expect(service.driver.machine(server.uuid)?.disk?.content == "new")
  }

  @Test("A restore that takes too long is ended before it is told to have failed: the disk stays as it was for good")
  func lateRestore() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let machine = try #require(try await service.store.server(id)).uuid
    try service.driver.guestWrites("old", on: machine)
    let backup = try await service.backup(of: id)
    _ = try await service.servers.perform(.stop, on: id, service.owner)
    try await service.settle()
    try service.driver.guestWrites("new", on: machine)
    service.driver.configure { options in
      options.copyDuration = .seconds(86_400)
      options.timing = MachineTiming(
        bootDeadline: .seconds(60), shutdownDeadline: .seconds(30), pollInterval: .seconds(30))
    }
    // Its cleanup takes longer than the first to ask for it waits.
    service.driver.inject(Fault(in: .endRestore, .fail(DriverError(.busy, "The restore does not end."))))
    let operation = try await service.backups.restore(backup, service.owner).operation.id
    try await service.settle()
    let failed = try #require(try await service.store.operation(operation))
    #expect(failed.state == .failed && failed.customerReason == "The server could not be restored.")
    #expect(service.driver.calls.filter { $0.method == .endRestore }.count == 2)
    service.clock.advance(by: .seconds(86_400))
    #expect(service.driver.machine(machine)?.disk?.content == "new")
    #expect(try await service.status(of: id) == .stopped)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("A copy that fails says why, and leaves no file")
  func failed() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    service.driver.inject(Fault(in: .ensureCopied, .failAfterwards(Self.refusal)))
    let backup = try await service.backups.read(try await service.backup(of: id), service.owner)
    #expect(backup.status == .failed)
    #expect(backup.statusReason == "The disk cannot be read.")
    #expect(backup.sizeBytes == nil)
    #expect(service.driver.copies.isEmpty)
    #expect(try await service.status(of: id) == .active)
    let failure = await #expect(throws: Failure.self) {
      _ = try await service.backups.restore(backup.id, service.owner)
    }
    #expect(failure?.message == "Backup is failed.")
    try await service.backups.delete(backup.id, service.owner)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("What a failed copy left and nobody could remove is removed later")
  func leftBehind() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    service.driver.inject(Fault(in: .ensureCopied, .failAfterwards(Self.refusal)))
    service.driver.inject(Fault(in: .ensureCopyAbsent, .fail(DriverError(.busy, "busy")), times: nil))
    let backup = try await service.backups.read(try await service.backup(of: id), service.owner)
    #expect(backup.status == .failed)
    #expect(backup.statusReason == "The disk cannot be read.")
    #expect(service.driver.copies.count == 1)
    service.driver.faults = Faults()
    await service.schedule.pollOnce()
    try await service.settle()
    #expect(service.driver.copies.isEmpty)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("A server that could never be made has no disk to copy")
  func noDisk() async throws {
    let service = try await TestService()
    let created = try await service.servers.create(service.draft(operatingSystem: 5), service.owner)
    let draft = DiskCopies.Draft(server: .id(created.view.server.id))
    let early = try await service.backups.create(draft, service.owner)
    try await service.settle()
    let failed = try await service.backups.read(early.id, service.owner)
    #expect(failed.status == .failed)
    #expect(failed.statusReason == "Server could not be created.")
    let failure = await #expect(throws: Failure.self) { _ = try await service.backups.create(draft, service.owner) }
    #expect(failure?.code == .wrongState)
  }

  @Test("A deleted copy is gone at once, and its file when its turn comes, also in the middle of being made")
  func delete() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let whole = try await service.backup(of: id)
    let waiting = try await service.backups.create(DiskCopies.Draft(server: .id(id)), service.owner).id
    let begun = try await service.snapshots.create(DiskCopies.Draft(server: .id(id), name: "a"), service.owner).id
    try await service.backups.delete(waiting, service.owner)
    while try await service.runner.runNextStep() {}
    #expect(service.driver.copies.count == 2)
    try await service.snapshots.delete(begun, service.owner)
    try await service.backups.delete(whole, service.owner)
    await #expect(throws: Failure.self) { _ = try await service.backups.read(whole, service.owner) }
    #expect(try await service.backups.list(DiskCopyFilter(), service.owner).isEmpty)
    try await service.settle()
    #expect(service.driver.copies.isEmpty)
    let cancelled = try await service.store.operations(of: id).filter { $0.state == .cancelled }
    #expect(cancelled.map(\.kind) == [.backup, .snapshot])
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("A restore that was asked for first is carried out before its copy is removed")
  func deletedWhileRestored() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let backup = try await service.backup(of: id)
    let restore = try await service.backups.restore(backup, service.owner).operation.id
    try await service.backups.delete(backup, service.owner)
    try await service.settle()
    #expect(try await service.store.operation(restore)?.state == .succeeded)
    #expect(service.driver.copies.isEmpty)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("Copies go with their server: hidden at once, and removed with its disk")
  func serverDeleted() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let backup = try await service.backup(of: id)
    _ = try await service.snapshots.create(DiskCopies.Draft(server: .id(id), name: "a"), service.owner)
    try await service.servers.delete(id, service.owner)
    await #expect(throws: Failure.self) { _ = try await service.backups.read(backup, service.owner) }
    #expect(try await service.contradictions() == [])
    try await service.settle()
    #expect(try await service.leftovers() == [])
  }

  @Test("No more than two copies are made at once; others wait for as long as it takes")
  func atOnce() async throws {
    var options = SimulatedDriver.Options()
    options.copyDuration = .seconds(600)
    let service = try await TestService(options: options)
    for _ in 1...5 { _ = try await service.activeServer() }
    for server in try await service.store.allServers() {
      _ = try await service.backups.create(DiskCopies.Draft(server: .id(server.id)), service.owner)
    }
    var most = 0
    while let due = try await service.nextOperationDue() {
      while try await service.runner.runNextStep() {
        most = max(most, service.driver.copies.values.filter { !$0.isWhole }.count)
      }
      service.clock.advance(to: max(due, service.clock.now + .seconds(60)))
    }
    #expect(most == 2)
    let backups = try await service.backups.list(DiskCopyFilter(), service.owner)
    #expect(backups.elements.map(\.status) == Array(repeating: .completed, count: 5))
  }

  @Test("One restore at a time: another one is refused until the first is over")
  func oneRestoreAtATime() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let backup = try await service.backup(of: id)
    _ = try await service.backups.restore(backup, service.owner)
    let refused = await #expect(throws: Failure.self) { _ = try await service.backups.restore(backup, service.owner) }
    #expect(refused?.code == .conflict)
    #expect(refused?.message == "Server is being restored already.")
    try await service.settle()
    _ = try await service.backups.restore(backup, service.owner)
    try await service.settle()
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("A server has as many copies as its quota allows, automatic ones left out")
  func quota() async throws {
    let service = try await TestService(copyQuota: 2)
    let id = try await service.activeServer()
    let first = try await service.backup(of: id)
    let draft = DiskCopies.Draft(server: .id(id), name: "a")
    _ = try await service.snapshots.create(draft, service.owner)
    let failure = await #expect(throws: Failure.self) { _ = try await service.snapshots.create(draft, service.owner) }
    #expect(failure?.code == .permissionDenied)
    #expect(failure?.message == "Copy quota of the server reached (2).")
    try await service.backups.delete(first, service.owner)
    _ = try await service.snapshots.create(draft, service.owner)
  }

  @Test("Another account's copies cannot be told from ones that do not exist")
  func anothers() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let backup = try await service.backup(of: id)
    let uuid = try await service.backups.read(backup, service.owner).uuid
    let stranger = try await service.newCaller().caller
    #expect(try await service.backups.list(DiskCopyFilter(), stranger).isEmpty)
    for attempt: @Sendable () async throws -> Void in [
      { _ = try await service.backups.read(backup, stranger) },
      { _ = try await service.backups.id(of: .uuid(uuid), stranger) },
      { _ = try await service.backups.restore(backup, stranger) },
      { try await service.backups.delete(backup, stranger) },
      // A backup is no snapshot.
      { _ = try await service.snapshots.read(backup, service.owner) },
      { try await service.snapshots.delete(backup, service.owner) },
    ] {
      let failure = await #expect(throws: Failure.self) { try await attempt() }
      #expect(failure?.code == .notFound)
    }
    let draft = DiskCopies.Draft(server: .id(id))
    let failure = await #expect(throws: Failure.self) { _ = try await service.backups.create(draft, stranger) }
    #expect(
      failure?.code == .invalidFields([FieldError(.server, ["Invalid pk \"\(id)\" - object does not exist."])]))
  }

  @Test("The permission for backups is not the one for snapshots, and reading is not writing")
  func permissions() async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let account = service.owner.accountID
    let reader = try await service.newToken(of: account, permissions: [Permission("backups:read")!]).caller
    let writer = try await service.newToken(of: account, permissions: [Permission("backups:*")!]).caller
    let draft = DiskCopies.Draft(server: .id(id), name: "a")
    #expect(try await service.backups.list(DiskCopyFilter(), reader).isEmpty)
    await #expect(throws: Failure.self) { _ = try await service.backups.create(draft, reader) }
    await #expect(throws: Failure.self) { _ = try await service.snapshots.create(draft, writer) }
    _ = try await service.backups.create(draft, writer)
  }
}
