import Core
import Engine
import Foundation
import SQLStore
import SimulatedDriver
import TestSupport
import Testing

@Suite("A server's first boot does what its user data says")
struct UserDataTests {
  private static let script = "#!/bin/sh\necho the-secret-of-the-customer >/root/secret\n"

  private static func server(
    with userData: String? = script, _ service: TestService
  ) async throws -> Server {
    var draft = service.draft()
    draft.userData = userData
    let id = try await service.servers.create(draft, service.owner).view.server.id
    try await service.settle()
    return try #require(try await service.store.server(id))
  }

  private func reason(_ server: Server, _ service: TestService) async throws -> String? {
    try await service.servers.read(server.id, service.owner).0.statusReason
  }

  @Test("The guest gets it to the byte, and the database has no word of it, not even where it is gone")
  func isSealed() async throws {
    let service = try await TestService()
    let server = try await Self.server(service)
    #expect(service.driver.machine(server.uuid)?.definition?.userData == Self.script)
    #expect(try await service.content().range(of: Data("the-secret-of-the-customer".utf8)) == nil)
    #expect(try await service.store.sealedUserData(of: server.id) != nil)
    try await service.servers.delete(server.id, service.owner)
    #expect(try await service.store.sealedUserData(of: server.id) == nil)
    try await service.settle()
    #expect(try await service.contradictions() == [])
  }

  @Test("One that failed is a warning beside `active`, until the server is started again")
  func failure() async throws {
    var options = SimulatedDriver.Options()
    options.quirks = [.userDataFails]
    let service = try await TestService(options: options)
    let (server, plain) = (try await Self.server(service), try await Self.server(with: nil, service))
    #expect(try await reason(server, service) == nil)
    for watch in service.userDataWatches { await watch.pollOnce() }
    #expect(try await service.status(of: server.id) == .active)
    #expect(try await reason(server, service)?.contains("user data failed") == true)
    #expect(try await reason(plain, service) == nil)
    #expect(service.driver.calls.filter { $0.method == .userDataOutcome }.map(\.machine) == [server.uuid])
    _ = try await service.servers.perform(.reboot, on: server.id, service.owner)
    try await service.settle()
    for watch in service.userDataWatches { await watch.pollOnce() }
    #expect(try await reason(server, service) == nil)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("A guest that does not tell is asked again, and no other waits for it")
  func silentGuest() async throws {
    let service = try await TestService()
    var servers: [Server] = []
    for _ in 0..<6 { servers.append(try await Self.server(service)) }
    for server in servers.dropLast() { try service.driver.setQuirks([.agentNeverAnswers], of: server.uuid) }
    try service.driver.setQuirks([.userDataFails], of: servers[5].uuid)
    for _ in 0..<3 { await service.userDataWatches[0].pollOnce() }
    #expect(try await reason(servers[5], service) != nil)
    try service.driver.setQuirks([.userDataFails], of: servers[0].uuid)
    for _ in 0..<3 { await service.userDataWatches[0].pollOnce() }
    #expect(try await reason(servers[0], service) != nil)
  }

  @Test("A guest that does not tell for an hour, or is not done within a day, is asked no more; that is said, once")
  func givenUp() async throws {
    let service = try await TestService()
    let watch = try #require(service.userDataWatches.first)
    let (silent, busy, late) = (
      try await Self.server(service), try await Self.server(service), try await Self.server(service)
    )
    try service.driver.setQuirks([.agentNeverAnswers], of: silent.uuid)
    for server in [busy, late] { try service.driver.setQuirks([.userDataNeverEnds], of: server.uuid) }
    let words = "What became of its user data is not known"
    await watch.pollOnce()
    service.clock.advance(by: .seconds(3599))
    await watch.pollOnce()
    #expect(try await reason(silent, service) == nil)
    service.clock.advance(by: .seconds(2))
    await watch.pollOnce()
    #expect(try await reason(silent, service)?.hasPrefix(words) == true)
    #expect(try await reason(busy, service) == nil)
    let count = service.driver.calls.count { $0.machine == silent.uuid && $0.method == .userDataOutcome }
    for _ in 0..<23 {
      service.clock.advance(by: .seconds(3500))
      await watch.pollOnce()
    }
    try service.driver.setQuirks([], of: late.uuid)
    await watch.pollOnce()
    #expect(try await reason(late, service) == nil)
    service.clock.advance(by: .seconds(3600))
    await watch.pollOnce()
    #expect(try await reason(busy, service)?.hasPrefix(words) == true)
    #expect(service.driver.calls.count { $0.machine == silent.uuid && $0.method == .userDataOutcome } == count)
    #expect(await watch.pollOnce() == false)
    _ = try await service.servers.perform(.reboot, on: silent.id, service.owner)
    try await service.settle()
    #expect(try await reason(silent, service) == nil)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("The hours in which a server is off are none of the time that it has")
  func offMeanwhile() async throws {
    let service = try await TestService()
    let watch = try #require(service.userDataWatches.first)
    let server = try await Self.server(service)
    try service.driver.setQuirks([.agentNeverAnswers], of: server.uuid)
    await watch.pollOnce()
    _ = try await service.servers.perform(.stop, on: server.id, service.owner)
    try await service.settle()
    for _ in 0..<2 {
      await watch.pollOnce()
      service.clock.advance(by: .seconds(7200))
    }
    _ = try await service.servers.perform(.start, on: server.id, service.owner)
    try await service.settle()
    await watch.pollOnce()
    #expect(try await service.status(of: server.id) == .active)
    #expect(try await reason(server, service) == nil)
  }

  @Test("A rebuild keeps what it was, or brings another, or none; one that fails before it has begun changes nothing")
  func rebuild() async throws {
    let service = try await TestService()
    let server = try await Self.server(service)
    let other = "#cloud-config\nruncmd: [id]\n"
    for (said, wanted) in [(nil, Self.script), (other, other), (nil, other), ("", nil), (nil, nil), (other, other)]
      as [(String?, String?)]
    {
      var draft = Servers.RebuildDraft()
      draft.userData = said
      _ = try await service.servers.rebuild(server.id, draft, service.owner)
      try await service.settle()
      #expect(service.driver.machine(server.uuid)?.definition?.userData == wanted)
    }
    service.driver.configure { $0.images = [] }
    var draft = Servers.RebuildDraft()
    draft.userData = Self.script
    _ = try await service.servers.rebuild(server.id, draft, service.owner)
    try await service.settle()
    service.driver.configure { $0.images = ["debian-12"] }
    _ = try await service.servers.perform(.reboot, on: server.id, service.owner)
    try await service.settle()
    #expect(service.driver.machine(server.uuid)?.definition?.userData == other)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("An image that takes none is refused before anything is changed")
  func imageWithout() async throws {
    var options = SimulatedDriver.Options()
    options.takesUserData = false
    let service = try await TestService(options: options)
    let server = try await Self.server(service)
    #expect(server.status == .error)
    #expect(server.statusReason == "The operating system takes no user data.")
    let plain = try await Self.server(with: nil, service)
    try service.driver.guestWrites("kept", on: plain.uuid)
    var draft = Servers.RebuildDraft()
    draft.userData = Self.script
    _ = try await service.servers.rebuild(plain.id, draft, service.owner)
    try await service.settle()
    #expect(try await service.status(of: plain.id) == .active)
    #expect(service.driver.machine(plain.uuid)?.disk?.content == "kept")
  }

  @Test("What was sealed with another key opens no more; servers that have booted go on without it")
  func lostKey() async throws {
    let key = InstallationKey.random()
    let (server, other) = (UUID(), UUID())
    let sealed = try key.seal(userData: Self.script, of: server)
    #expect(key.open(userData: sealed, of: server) == Self.script)
    #expect(key.open(userData: sealed, of: other) == nil)
    #expect(InstallationKey.random().open(userData: sealed, of: server) == nil)
    #expect(key.open(userData: Array(sealed.dropLast()), of: server) == nil)
    #expect(InstallationKey([1, 2]) == nil)
  }
}
