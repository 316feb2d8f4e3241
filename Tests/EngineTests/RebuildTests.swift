import Core
import Engine
import Foundation
import SimulatedDriver
import TestSupport
import Testing

@Suite("A server is rebuilt from an operating system")
struct RebuildTests {
  private static let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl a@b"

  /// With Ubuntu beside Debian.
  private static func service(quirks: Set<GuestQuirk> = []) async throws -> TestService {
    var options = SimulatedDriver.Options()
    options.images = ["debian-12", "ubuntu-22.04"]
    options.quirks = quirks
    return try await TestService(options: options)
  }

  private static func draft(_ system: Int64? = nil, key: Int64? = nil) -> Servers.RebuildDraft {
    var draft = Servers.RebuildDraft()
    draft.operatingSystem = system.map { .id(ID($0)) }
    draft.sshKeys = KeyChoice(key.map { .id(ID($0)) })
    return draft
  }

  @Test("One that is active comes back as the same server, at the same address, with an empty disk")
  func active() async throws {
    let service = try await Self.service()
    let id = try await service.activeServer()
    let before = try #require(try await service.store.server(id))
    try service.driver.guestWrites("old", on: before.uuid)
    let rebuild = try await service.servers.rebuild(id, Self.draft(5), service.owner)
    #expect(rebuild.requested.server.status == .rebooting)
    try await service.settle()
    let after = try #require(try await service.store.server(id))
    #expect(after.status == .active)
    #expect((after.uuid, after.address, after.name) == (before.uuid, before.address, before.name))
    #expect(after.operatingSystemID == ID(5))
    let machine = try #require(service.driver.machine(after.uuid))
    #expect(machine.disk?.imageName == "ubuntu-22.04")
    #expect(machine.disk?.content == nil)
    #expect(try await service.balance(of: service.owner) == Money(microunits: 99_995_000))
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("Whatever it was, it is active afterwards", arguments: [ServerStatus.stopped, .error])
  func fromOff(status: ServerStatus) async throws {
    let service = try await Self.service()
    let id = try await service.activeServer()
    if status == .stopped {
      _ = try await service.servers.perform(.stop, on: id, service.owner)
    } else {
      service.driver.inject(Fault(in: .ensureDefined, .fail(DriverError(.rejected, "no"))))
      _ = try await service.servers.perform(.reboot, on: id, service.owner)
    }
    try await service.settle()
    #expect(try await service.status(of: id) == status)
    let rebuild = try await service.servers.rebuild(id, Self.draft(), service.owner)
    #expect(rebuild.requested.server.status == .rebooting)
    try await service.settle()
    #expect(try await service.status(of: id) == .active)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("Without a key it gets a new root password, which is forgotten after the first boot, and not before")
  func password() async throws {
    let service = try await Self.service()
    let created = try await service.servers.create(service.draft(), service.owner)
    let id = created.view.server.id
    try await service.settle()
    let rebuild = try await service.servers.rebuild(id, Self.draft(), service.owner)
    let password = try #require(rebuild.rootPassword)
    #expect(password != created.rootPassword)
    let uuid = created.view.server.uuid
    try await service.run(until: { try await service.store.server(id)?.machine.rootPasswordHash != nil })
    let booting = try #require(try await service.store.server(id))
    #expect(booting.machine.awaitsFirstBoot)
    let hash = try #require(booting.machine.rootPasswordHash)
    #expect(hash.hasPrefix("$6$"))
    try await service.run(until: { service.driver.machine(uuid)?.boot?.definition.rootPasswordHash == hash })
    #expect(try await service.store.server(id)?.machine.rootPasswordHash == hash)
    #expect(try await service.contradictions() == [])
    try await service.settle()
    #expect(try await service.store.server(id)?.machine.rootPasswordHash == nil)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("It keeps the keys that it was made with, also those that the account has no more, or takes others")
  func keys() async throws {
    let service = try await Self.service()
    let key = try await service.sshKeys.create(SSHKeys.Draft(name: "k", publicKey: Self.key), service.owner)
    var draft = service.draft()
    draft.sshKeys = KeyChoice(.id(key.id))
    let id = try await service.servers.create(draft, service.owner).view.server.id
    try await service.settle()
    let bare = try await service.activeServer()
    let withKey = try await service.servers.rebuild(bare, Self.draft(key: key.id.value), service.owner)
    #expect(withKey.rootPassword == nil)
    try await service.settle()
    #expect(try await service.store.server(bare)?.machine.authorizedKey == key.publicKey)
    try await service.sshKeys.delete(key.id, service.owner)
    #expect(try await service.servers.rebuild(id, Self.draft(), service.owner).rootPassword == nil)
    try await service.settle()
    let server = try #require(try await service.store.server(id))
    #expect(service.driver.machine(server.uuid)?.boot?.definition.authorizedKey == key.publicKey)
  }

  @Test(
    "Where there is no image, or one that the disk has no room for, nothing happens to the server, and the history says why",
    arguments: [ServerStatus.active, .stopped],
    ["No image for this operating system", "The operating system does not fit on the plan's disk."])
  func noImage(status: ServerStatus, reason: String) async throws {
    let service = try await TestService()
    let id = try await service.activeServer()
    let uuid = try #require(try await service.store.server(id)).uuid
    try service.driver.guestWrites("old", on: uuid)
    if status == .stopped {
      _ = try await service.servers.perform(.stop, on: id, service.owner)
      try await service.settle()
    }
    if reason.contains("fit") {
      service.driver.configure {
        $0.images.insert("ubuntu-22.04")
        $0.imageStorageGiB = 1000
      }
    }
    _ = try await service.servers.rebuild(id, Self.draft(5), service.owner)
    try await service.settle()
    let operation = try #require(try await service.store.operations(of: id).last { $0.kind == .rebuild })
    #expect(operation.state == .failed)
    #expect(operation.customerReason?.hasPrefix(reason) == true)
    let server = try #require(try await service.store.server(id))
    #expect(server.status == status)
    #expect(server.operatingSystemID == ID(3))
    #expect(service.driver.machine(uuid)?.disk?.content == "old")
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("A new system that does not come up is in error, and another rebuild leads out of it")
  func newSystemFails() async throws {
    let service = try await Self.service()
    let id = try await service.activeServer()
    let uuid = try #require(try await service.store.server(id)).uuid
    try service.driver.setQuirks([.sshNeverAnswers], of: uuid)
    // The agent alone is not enough: this boot has to personalise the disk.
    _ = try await service.servers.rebuild(id, Self.draft(), service.owner)
    try await service.settle()
    let server = try #require(try await service.store.server(id))
    #expect(server.status == .error)
    #expect(server.statusReason == "The server did not become reachable in time.")
    try service.driver.setQuirks([], of: uuid)
    _ = try await service.servers.rebuild(id, Self.draft(), service.owner)
    try await service.settle()
    #expect(try await service.status(of: id) == .active)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("An old disk that cannot be removed is never booted as the new system, whoever starts the server")
  func oldDiskStays() async throws {
    let service = try await Self.service()
    let id = try await service.activeServer()
    let uuid = try #require(try await service.store.server(id)).uuid
    try service.driver.guestWrites("old", on: uuid)
    service.driver.inject(Fault(in: .ensureDiskAbsent, .fail(DriverError(.rejected, "It is in use."))))
    _ = try await service.servers.rebuild(id, Self.draft(), service.owner)
    try await service.settle()
    #expect(try await service.status(of: id) == .error)
    #expect(service.driver.machine(uuid)?.disk?.content == "old")
    _ = try await service.servers.perform(.start, on: id, service.owner)
    try await service.settle()
    #expect(try await service.status(of: id) == .active)
    #expect(service.driver.machine(uuid)?.disk?.content == nil)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("After a rebuild that failed, no copy is made of the old disk, and a restored one is kept, with its system")
  func copiesAfterFailure() async throws {
    let service = try await Self.service()
    let id = try await service.activeServer()
    let uuid = try #require(try await service.store.server(id)).uuid
    try service.driver.guestWrites("old", on: uuid)
    let backup = try await service.backup(of: id)
    service.driver.inject(Fault(in: .ensureDefined, .fail(DriverError(.rejected, "It does not fit."))))
    _ = try await service.servers.rebuild(id, Self.draft(5), service.owner)
    try await service.settle()
    #expect(try await service.status(of: id) == .error)
    let copy = try await service.backups.create(DiskCopies.Draft(server: .id(id)), service.owner).id
    try await service.settle()
    #expect(try await service.backups.read(copy, service.owner).status == .failed)
    _ = try await service.backups.restore(backup, service.owner)
    try await service.settle()
    let restored = try #require(try await service.store.server(id))
    #expect(restored.status == .active)
    #expect(restored.operatingSystemID == ID(3))
    #expect(service.driver.machine(uuid)?.disk?.content == "old")
    _ = try await service.servers.perform(.reboot, on: id, service.owner)
    try await service.settle()
    #expect(service.driver.machine(uuid)?.disk?.content == "old")
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("A server that was never ready pays for its first hour, or is not rebuilt", arguments: [true, false])
  func neverReady(canPay: Bool) async throws {
    let service = try await Self.service(quirks: [.sshNeverAnswers])
    let caller = try await service.newCaller(credit: Money(microunits: 5_000)).caller
    let id = try await service.activeServer(of: caller)
    #expect(try await service.status(of: id) == .error)
    #expect(try await service.balance(of: caller) == Money(microunits: 5_000))
    let uuid = try #require(try await service.store.server(id)).uuid
    try service.driver.setQuirks([], of: uuid)
    service.driver.configure { $0.quirks = [] }
    if !canPay { _ = try await service.servers.create(service.draft(), caller) }
    let refused = await failure { _ = try await service.servers.rebuild(id, Self.draft(), caller) }
    #expect(refused?.code == (canPay ? nil : .insufficientCredit))
    try await service.settle()
    #expect(try await service.status(of: id) == (canPay ? .active : .error))
    #expect(try await service.balance(of: caller) == .zero)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("One that waits for a create which fails pays for its first hour when its turn comes")
  func behindFailedCreate() async throws {
    let service = try await Self.service(quirks: [.sshNeverAnswers])
    let caller = try await service.newCaller(credit: Money(microunits: 5_000)).caller
    let id = try await service.servers.create(service.draft(), caller).view.server.id
    _ = try await service.servers.rebuild(id, Self.draft(), caller)
    try await service.run(until: { try await service.store.operations(of: id)[0].finishedAt != nil })
    #expect(try await service.status(of: id) == .rebooting)
    #expect(try await service.balance(of: caller) == .zero)
    #expect(try await service.contradictions() == [])
    try await service.settle()
    #expect(try await service.status(of: id) == .error)
    #expect(try await service.balance(of: caller) == Money(microunits: 5_000))
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("One that cannot pay for it any more is not rebuilt")
  func behindFailedCreateWithoutCredit() async throws {
    let service = try await Self.service()
    let caller = try await service.newCaller(credit: Money(microunits: 35_000)).caller
    let server = try await service.servers.create(service.draft(), caller).view.server
    try await service.resize(server.id, to: 1, caller)
    _ = try await service.servers.rebuild(server.id, Self.draft(), caller)
    try await service.run(until: { service.driver.machine(server.uuid) != nil })
    try service.driver.setQuirks([.sshNeverAnswers], of: server.uuid)
    for _ in 1...6 { _ = try await service.servers.create(service.draft(), caller) }
    try await service.settle()
    #expect(try await service.status(of: server.id) == .error)
    let operation = try #require(try await service.store.operations(of: server.id).last)
    #expect(operation.kind == .rebuild)
    #expect(operation.customerReason == "Insufficient credits.")
    #expect(try await service.balance(of: caller) == Money(microunits: 5_000))
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("A rebuild that was asked for before a stop replaces the system, and leaves the server stopped")
  func stoppedMeanwhile() async throws {
    let service = try await Self.service()
    let id = try await service.activeServer()
    let change = ServerChange(hostname: Hostname("new.example.com"))
    _ = try await service.servers.update(id, change, service.owner)
    #expect(try await service.servers.rebuild(id, Self.draft(5), service.owner).requested.server.status == .active)
    _ = try await service.servers.perform(.stop, on: id, service.owner)
    try await service.settle()
    let stopped = try #require(try await service.store.server(id))
    #expect(stopped.status == .stopped)
    #expect(stopped.operatingSystemID == ID(5))
    #expect(stopped.machine.awaitsFirstBoot)
    #expect(try await service.contradictionsAtRest() == [])
    _ = try await service.servers.perform(.start, on: id, service.owner)
    try await service.settle()
    #expect(try await service.status(of: id) == .active)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("Two at once are refused, a resize beside it waits its turn, and a delete goes before both")
  func others() async throws {
    let service = try await Self.service()
    let id = try await service.activeServer()
    _ = try await service.servers.rebuild(id, Self.draft(), service.owner)
    let second = await failure { _ = try await service.servers.rebuild(id, Self.draft(5), service.owner) }
    #expect(second?.code == .conflict)
    try await service.resize(id)
    try await service.settle()
    let server = try #require(try await service.store.server(id))
    #expect(server.status == .active)
    #expect(server.planID == ID(1))
    #expect(try await service.contradictionsAtRest() == [])
    _ = try await service.servers.rebuild(id, Self.draft(), service.owner)
    try await service.resize(id, to: 2)
    try await service.servers.delete(id, service.owner)
    try await service.settle()
    #expect(try await service.leftovers() == [])
  }
}
