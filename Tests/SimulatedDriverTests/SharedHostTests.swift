import Core
import Foundation
import SimulatedDriver
import TestSupport
import Testing

@Suite("A simulated host that several services share")
struct SharedHostTests {
  private let folder: ScopedFolder
  private let clock = ManualClock()
  private let installation = UUID()

  init() throws { folder = try ScopedFolder(.memory) }

  private func service(isShared: Bool = true) throws -> SimulatedDriver {
    try SimulatedDriver(
      installation: installation, dataDirectory: folder.url, isShared: isShared, clock: clock)
  }

  private func specification(_ machine: UUID = UUID()) -> MachineSpecification {
    MachineSpecification(
      machine: machine, label: "server-1", hostname: Hostname("web-1")!, vcpus: 1, memoryMiB: 512, storageGiB: 5,
      imageName: "debian-12", imageVersion: SimulatedDriver.imageVersion,
      interface: NetworkInterface(address: IPv4Address("127.80.0.5")!), authorizedKey: nil, rootPasswordHash: nil,
      mayCreateDisk: true)
  }

  private func isElsewhere(_ body: () async throws -> Void) async {
    let error = await #expect(throws: DriverError.self) { try await body() }
    #expect(error?.kind != .notFound, "\(String(describing: error))")
  }

  @Test("Whoever takes it over has all that is there, and the one before changes nothing any more")
  func takeOver() async throws {
    let (one, other) = (try service(), try service())
    let machine = specification()
    await isElsewhere { try await one.ensureDefined(machine) }
    try one.takeOver(term: 3, isNew: true)
    try await one.ensureDefined(machine)
    try await one.start(machine.machine)
    clock.advance(by: .seconds(1))
    try other.takeOver(term: 4, isNew: false)
    #expect(try await other.observe().powers == [machine.machine: .running])
    // It does not know yet that it has the host no more.
    await isElsewhere { try await one.powerOff(machine.machine) }
    await isElsewhere { try await one.ensureDefined(specification()) }
    #expect(throws: DriverError.self) { try one.takeOver(term: 4, isNew: false) }
    #expect(throws: DriverError.self) { try one.takeOver(term: 3, isNew: true) }
    try await other.powerOff(machine.machine)
    one.letGo(term: 3)
    other.letGo(term: 3)
    try await other.ensureAbsent(machine.machine)
    try one.takeOver(term: 9, isNew: false)
    #expect(try await one.observe().powers.isEmpty)
  }

  @Test("Who does not have it sees what is there, and changes nothing")
  func visitors() async throws {
    let (one, other) = (try service(), try service())
    try one.takeOver(term: 1, isNew: true)
    let machine = specification()
    try await one.ensureDefined(machine)
    try await one.start(machine.machine)
    clock.advance(by: .seconds(1))
    #expect(try await other.power(of: machine.machine) == .running)
    let name = try await RFBClient(other.openConsole(of: machine.machine)).shakeHands().name
    #expect(name == "Simulated server-1")
    await isElsewhere { try await other.setPassword(hash: "x", of: "root", in: machine.machine) }
    await isElsewhere { try await other.powerOff(machine.machine) }
    try await one.powerOff(machine.machine)
    #expect(try await other.power(of: machine.machine) == .off(.other))
    #expect(try await other.observe().powers.count == 1)
  }

  @Test("What was begun for an earlier term does nothing in a later one of the same service")
  func earlierTerm() async throws {
    let one = try service()
    let machine = specification()
    try one.takeOver(term: 1, isNew: true)
    try await SimulatedDriver.$term.withValue(1) { try await one.ensureDefined(machine) }
    try one.takeOver(term: 2, isNew: false)
    await SimulatedDriver.$term.withValue(1) {
      await isElsewhere { try await one.start(machine.machine) }
      await isElsewhere { _ = try await one.observe() }
    }
    try await SimulatedDriver.$term.withValue(2) { try await one.start(machine.machine) }
    try await one.powerOff(machine.machine)
  }

  @Test("A folder without the machines that there are is none of this host's")
  func wrongFolder() async throws {
    #expect(throws: DriverError.self) { try service().takeOver(term: 5, isNew: false) }
    try service().takeOver(term: 6, isNew: true)
  }

  @Test("A service that is alone has what was shared, and the other way round")
  func alone() async throws {
    let machine = specification()
    let alone = try service(isShared: false)
    try await alone.ensureDefined(machine)
    let shared = try service()
    try shared.takeOver(term: 7, isNew: false)
    #expect(try await shared.observe().powers.count == 1)
    #expect(try await service(isShared: false).observe().powers.count == 1)
  }
}
