import Core
import Testing

@Suite("Changes of plan and system in the store")
struct ShapeTests {
  private static let dearer = Catalogue.initial.plans[0]

  private func resize(_ server: Server, in fixture: Fixture, by caller: Caller? = nil) async throws
    -> RequestedOperation?
  {
    try await fixture.store.requestResize(
      of: server.id, to: Self.dearer, by: caller ?? fixture.caller, at: Fixture.now)
  }

  private func rebuild(_ server: Server, in fixture: Fixture, by caller: Caller? = nil) async throws
    -> RequestedOperation?
  {
    let system = NewSystem(operatingSystemID: ID(5), sshKeyIDs: [], rootPasswordHash: "$6$new")
    return try await fixture.store.requestRebuild(
      of: server.id, with: system, by: caller ?? fixture.caller, at: Fixture.now)
  }

  @Test("Another account's server is not there, and nothing happens to it")
  func anothers() async throws {
    try await withStore { fixture in
      let server = try await fixture.activeServer()
      let stranger = try await fixture.stranger()
      #expect(try await resize(server, in: fixture, by: stranger) == nil)
      #expect(try await rebuild(server, in: fixture, by: stranger) == nil)
      #expect(try await fixture.reread(server) == server)
      #expect(try await fixture.store.operations(of: server.id).count == 1)
    }
  }

  @Test("It shows as rebooting as soon as nothing is before the change, and not earlier")
  func poweredOffWhenNext() async throws {
    try await withStore { fixture in
      let server = try await fixture.activeServer()
      let change = ServerChange(hostname: Hostname("b.example.com"))
      _ = try await fixture.store.updateServer(server.id, change, by: fixture.caller, at: Fixture.now)
      #expect(try await resize(server, in: fixture)?.server.status == .active)
      let lease = try await fixture.claim(.configure)
      #expect(try await fixture.reread(server).status == .active)
      #expect(try await fixture.store.commit(StepOutcome(.succeed), of: lease, at: Fixture.now) == .committed)
      #expect(try await fixture.reread(server).status == .rebooting)
      try await fixture.finish(.resize, .advance(to: "define"), effect: .resized)
      #expect(try await fixture.reread(server).planID == Self.dearer.id)
      try await fixture.finish(.resize, effect: .becameActive)
      #expect(try await fixture.reread(server).status == .active)
    }
  }

  @Test("What cannot be changed is taken back to what it was", arguments: [ServerStatus.active, .stopped])
  func rolledBack(status: ServerStatus) async throws {
    try await withStore { fixture in
      let server = status == .active ? try await fixture.activeServer() : try await fixture.stoppedServer()
      #expect(try await rebuild(server, in: fixture)?.server.status == .rebooting)
      let (reason, detail) = ("There is no image.", "ubuntu-22.04")
      let undo = StepOutcome.Next.undo(by: "define", customerReason: reason, operatorDetail: detail)
      try await fixture.finish(.rebuild, undo, effect: .rolledBack)
      // One that was active comes up again before the operation fails.
      #expect(try await fixture.reread(server).status == (status == .active ? .rebooting : .stopped))
      let failed = StepOutcome.Next.fail(customerReason: reason, operatorDetail: detail)
      try await fixture.finish(.rebuild, failed, effect: status == .active ? .becameActive : nil)
      let after = try await fixture.reread(server)
      #expect(after.status == status)
      #expect(after.operatingSystemID == server.operatingSystemID)
      let last = try await fixture.store.operations(of: server.id).last
      #expect(last?.kind == .rebuild && last?.state == .failed && last?.customerReason == reason)
    }
  }

  @Test("The password of a rebuild is kept until its first boot is over, or it is not needed any more")
  func secrets() async throws {
    try await withStore { fixture in
      let server = try await fixture.activeServer(by: .becameActiveInstantly)
      #expect(try await fixture.reread(server).isInstant)
      _ = try await rebuild(server, in: fixture)
      try await fixture.finish(.rebuild, .advance(to: "define"), effect: .systemReplaced(imageVersion: "v2"))
      let replaced = try await fixture.reread(server)
      #expect(!replaced.isInstant)
      #expect(replaced.operatingSystemID == ID(5))
      #expect(replaced.machine.imageVersion == "v2")
      #expect(replaced.machine.rootPasswordHash == "$6$new")
      #expect(replaced.machine.awaitsNewDisk)
      #expect(replaced.machine.awaitsFirstBoot)
      try await fixture.finish(.rebuild, .advance(to: "start"), effect: .machineDefined)
      #expect(try await !fixture.reread(server).machine.awaitsNewDisk)
      try await fixture.finish(.rebuild, effect: .becameActive)
      #expect(try await fixture.reread(server).machine.rootPasswordHash == nil)
      #expect(try await fixture.raw.number("SELECT COUNT(*) FROM rebuild") == 0)

      _ = try await rebuild(server, in: fixture)
      #expect(try await fixture.raw.number("SELECT COUNT(*) FROM rebuild") == 1)
      _ = try await fixture.store.requestDeletion(of: server.id, by: fixture.caller, at: Fixture.now)
      #expect(try await fixture.raw.number("SELECT COUNT(*) FROM rebuild") == 0)
    }
  }
}
