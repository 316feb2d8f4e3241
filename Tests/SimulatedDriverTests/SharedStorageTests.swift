import Core
import Foundation
import SimulatedDriver
import TestSupport
import Testing

@Suite("Simulated hosts that reach the same disks")
struct SharedStorageTests {
  private func isRefused(_ body: () async throws -> Void) async {
    let error = await #expect(throws: DriverError.self) { try await body() }
    #expect(error?.kind == .busy, "\(String(describing: error))")
  }

  /// The files of machines, disks and copies that there are.
  private func files(_ host: SimulatedHost) -> [String] {
    let all = FileManager.default.enumerator(atPath: host.folder.path)?.compactMap { $0 as? String } ?? []
    return all.filter { $0.hasSuffix(".json") }
  }

  @Test("A machine of a host that is off starts at its neighbour with its disk and its copies, and not at its own host")
  func inherits() async throws {
    try await withSimulatedHost(sharesStorage: true) { host in
      let (one, other) = (host.driver, try host.neighbour())
      let specification = host.specification()
      let machine = specification.machine
      try await one.ensureDefined(specification)
      try await one.start(machine)
      host.clock.advance(by: .seconds(1))
      try one.guestWrites("precious", on: machine)
      let copy = try await host.makeCopy(of: machine)
      try one.hostRestarts()
      #expect(try await other.observe().powers.isEmpty && other.copies.isEmpty)
      for _ in 1...2 { try await other.ensureInherited(machine) }
      #expect(try await other.power(of: machine) == .remnant)
      let kept = MachineSpecification(keepingDisk: specification)
      try await other.ensureDefined(kept)
      try await other.start(machine)
      #expect(other.machine(machine)?.disk?.content == "precious")
      await isRefused { try await one.start(machine) }
      #expect(one.machine(machine)?.boot == nil)
      #expect(try one.sharedDisk(machine)?.refusalCount == 1)
      try await other.powerOff(machine)
      guard case .done = try await other.ensureCopied(machine, as: copy) else {
        Issue.record("its copy did not come along")
        return
      }
      #expect(try host.again().copies.isEmpty)
    }
  }

  @Test("While a machine is on at its host nobody else gets its disk, and that is noted")
  func isOn() async throws {
    try await withSimulatedHost(sharesStorage: true) { host in
      let (one, other) = (host.driver, try host.neighbour())
      let machine = try await host.makeMachine()
      await isRefused { try await other.ensureInherited(machine) }
      let disk = try #require(try one.sharedDisk(machine))
      #expect(disk.openedBy == "one" && disk.owner == "one" && disk.refusalCount == 1)
      #expect(other.machine(machine) == nil)
      try one.crash(machine)
      try await other.ensureInherited(machine)
      #expect(try one.sharedDisk(machine)?.owner == "neighbour")
    }
  }

  @Test("Its former host lets go of it without touching the disk, or the copies")
  func leaves() async throws {
    try await withSimulatedHost(sharesStorage: true) { host in
      let (one, other) = (host.driver, try host.neighbour())
      let specification = host.specification()
      let machine = specification.machine
      try await one.ensureDefined(specification)
      let copy = try await host.makeCopy(of: machine)
      try await other.ensureInherited(machine)
      try await other.ensureDefined(MachineSpecification(keepingDisk: specification))
      try await other.start(machine)
      try await one.ensureLeft(machine, to: other)
      #expect(try await one.observe().powers.isEmpty && one.copies.isEmpty)
      #expect(try await other.power(of: machine) == .running && other.copy(copy) != nil)
      // That its server was deleted is no reason either.
      try await one.ensureAbsent(machine)
      #expect(try one.sharedDisk(machine)?.openedBy == "neighbour")
      try await other.ensureAbsent(machine)
      #expect(files(host) == [])
    }
  }

  @Test("One that the former host still runs when it is left goes off there first")
  func leavesRunning() async throws {
    try await withSimulatedHost(sharesStorage: true) { host in
      let (one, other) = (host.driver, try host.neighbour())
      let machine = try await host.makeMachine()
      try await one.ensureLeft(machine, to: other)
      #expect(try one.sharedDisk(machine)?.openedBy == nil)
      try await other.ensureInherited(machine)
      #expect(other.machine(machine)?.disk != nil && one.machine(machine) == nil)
    }
  }

  @Test("A move between them leaves the disk where it is")
  func moves() async throws {
    try await withSimulatedHost(sharesStorage: true) { host in
      let (one, other) = (host.driver, try host.neighbour())
      let machine = try await host.makeMachine(isRunning: false)
      let copy = try await host.makeCopy(of: machine)
      while try await other.ensureReceived(machine, from: one) != .done { host.clock.advance(by: .milliseconds(250)) }
      try await one.ensureLeft(machine, to: other)
      #expect(try one.sharedDisk(machine)?.owner == "neighbour" && other.copy(copy)?.isWhole == true)
      try await other.start(machine)
      #expect(try await other.power(of: machine) == .running)
      try await other.ensureAbsent(machine)
      #expect(files(host) == [])
    }
  }

  @Test("One that is given up leaves the disk at its source")
  func moveEnds() async throws {
    try await withSimulatedHost(sharesStorage: true) { host in
      let (one, other) = (host.driver, try host.neighbour())
      let machine = try await host.makeMachine(isRunning: false)
      #expect(try await other.ensureReceived(machine, from: one) == .underWay)
      #expect(try await !other.endReceipt(of: machine, from: one))
      try await one.start(machine)
      #expect(try await one.power(of: machine) == .running && other.machine(machine) == nil)
    }
  }

  @Test("A file in its folder takes a host away, or its power with it")
  func trouble() async throws {
    try await withSimulatedHost(sharesStorage: true) { host in
      let (one, other) = (host.driver, try host.neighbour())
      let machine = try await host.makeMachine()
      let (away, off) = (host.folder.appendingPathComponent("away"), host.folder.appendingPathComponent("off"))
      try Data().write(to: away)
      #expect(await #expect(throws: DriverError.self) { try await one.observe() }?.kind == .unreachable)
      await isRefused { try await other.ensureInherited(machine) }
      try Data().write(to: off)
      _ = await #expect(throws: DriverError.self) { try await one.observe() }
      try await other.ensureInherited(machine)
      try FileManager.default.removeItem(at: away)
      try FileManager.default.removeItem(at: off)
      #expect(try await one.power(of: machine) == .off(.other))
    }
  }

  @Test("Hosts that reach other disks inherit nothing")
  func strangers() async throws {
    try await withSimulatedHost(sharesStorage: true) { host in
      try await withSimulatedHost(sharesStorage: true) { stranger in
        #expect(!host.driver.canInherit(from: stranger.driver) && !host.driver.canInherit(from: host.driver))
        let neighbour = try host.neighbour()
        #expect(host.driver.canInherit(from: neighbour))
      }
      try await withSimulatedHost { local in #expect(!local.driver.canInherit(from: host.driver)) }
    }
  }
}

extension MachineSpecification {
  /// The same machine, of a server that has had its disk.
  fileprivate init(keepingDisk other: MachineSpecification) {
    self.init(
      machine: other.machine, label: other.label, hostname: other.hostname, vcpus: other.vcpus,
      memoryMiB: other.memoryMiB, storageGiB: other.storageGiB, imageName: other.imageName,
      imageVersion: other.imageVersion, interface: other.interface, authorizedKey: other.authorizedKey,
      rootPasswordHash: other.rootPasswordHash, mayCreateDisk: false)
  }
}
