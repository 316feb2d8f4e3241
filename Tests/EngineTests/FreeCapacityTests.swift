import Core
import Engine
import SimulatedDriver
import TestSupport
import Testing

@Suite("A server that could not be made takes nothing of the host")
struct FreeCapacityTests {
  private static let refusal = DriverError(.rejected, "no", customerReason: "The host will not.")

  @Test("A hundred that fail leave all processors, memory, disk and addresses to the one that does not")
  func hundred() async throws {
    let service = try await TestService(options: Self.roomForOne, addressPool: AddressPool("127.80.0.0/30")!)
    for _ in 1...100 {
      let id = try await service.servers.create(service.draft(operatingSystem: 5), service.owner).view.server.id
      try await service.settle()
      let server = try #require(try await service.store.server(id))
      #expect(server.status == .error)
      #expect(server.address == nil)
    }
    let id = try await service.activeServer()
    #expect(try await service.status(of: id) == .active)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test(
    "Half of a machine is removed before its room is another's",
    arguments: [DriverMethod.isAddressFree, .ensureDefined])
  func half(method: DriverMethod) async throws {
    let service = try await TestService(options: Self.roomForOne)
    let id = try await service.servers.create(service.draft(), service.owner).view.server.id
    service.driver.inject(Fault(in: method, .failAfterwards(Self.refusal)))
    try await service.settle()
    let server = try #require(try await service.store.server(id))
    #expect(server.status == .error)
    #expect(server.statusReason == "The host will not.")
    #expect(try await service.driver.observe().powers.isEmpty)
    #expect(try await service.status(of: service.activeServer()) == .active)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("What cannot be removed keeps its room, until the server is deleted")
  func stuck() async throws {
    let service = try await TestService(options: Self.roomForOne)
    let id = try await service.servers.create(service.draft(), service.owner).view.server.id
    service.driver.inject(Fault(in: .ensureDefined, .failAfterwards(Self.refusal)))
    service.driver.inject(
      Fault(in: .ensureAbsent, .fail(DriverError(.unreachable, "The host does not answer.")), times: nil))
    try await service.settle()
    #expect(try await service.status(of: id) == .error)
    #expect(await failure { _ = try await service.activeServer() }?.code == .noCapacity)
    #expect(try await service.contradictions() == [])
    service.driver.faults = Faults()
    try await service.servers.delete(id, service.owner)
    try await service.settle()
    #expect(try await service.status(of: service.activeServer()) == .active)
    #expect(try await service.contradictionsAtRest() == [])
  }

  @Test("It can be deleted, and nothing else")
  func refused() async throws {
    let service = try await TestService()
    let id = try await service.servers.create(service.draft(operatingSystem: 5), service.owner).view.server.id
    try await service.settle()
    for attempt: @Sendable () async throws -> Void in [
      { _ = try await service.servers.perform(.start, on: id, service.owner) },
      { _ = try await service.servers.rebuild(id, .init(), service.owner) },
      { _ = try await service.resize(id) },
      { _ = try await service.backups.create(.init(server: .id(id)), service.owner) },
    ] {
      let refused = await failure { try await attempt() }
      #expect(refused?.code == .wrongState)
      #expect(refused?.message == "Server could not be created.")
    }
    try await service.servers.delete(id, service.owner)
    try await service.settle()
    #expect(try await service.leftovers() == [])
  }

  private static let roomForOne = {
    var options = SimulatedDriver.Options()
    options.capacity = HostCapacity(vcpus: 1, memoryMiB: 1024, storageGiB: 25)
    return options
  }()
}
