import Core
import Foundation
import TestSupport
import Testing

@testable import SimulatedDriver

@Suite("Simulated machines outlive the process")
struct PersistenceTests {
  @Test("A new process finds every machine as it was left, and their time went on")
  func restart() async throws {
    try await withSimulatedHost { host in
      let running = try await host.makeMachine()
      let defined = try await host.makeMachine(isRunning: false)
      let removed = try await host.makeMachine()
      try await host.driver.ensureAbsent(removed)
      let leaving = try await host.makeMachine()
      try await host.driver.requestShutdown(leaving)
      host.clock.advance(by: .seconds(1))

      let restarted = try host.another()
      #expect(try await restarted.observe() == host.driver.observe())
      #expect(try await restarted.observe().powers.count == 3)
      #expect(try await restarted.power(of: running) == .running)
      #expect(try await restarted.power(of: defined) == .off(.other))
      #expect(try await restarted.power(of: leaving) == .off(.guestShutdown))
      #expect(restarted.machine(running) == host.driver.machine(running))
    }
  }

  @Test("A new process knows a machine before it has read the records of all, and changes it from what it was")
  func first() async throws {
    try await withSimulatedHost { host in
      host.driver.configure { $0.sshPort = 2222 }
      let machine = try await host.makeMachine()
      try host.driver.guestWrites("kept", on: machine)
      #expect(try host.another().sshPort(of: machine) == 2222)
      #expect(try host.another().machine(machine)?.disk?.content == "kept")
      let third = try host.another()
      #expect(try await third.capacity() == nil)
      try third.crash(machine)
      #expect(third.machine(machine)?.disk?.content == "kept")
      #expect(try await third.power(of: machine) == .off(.other))
    }
  }

  @Test("A record has the form that earlier versions wrote and read")
  func form() async throws {
    try await withSimulatedHost { host in
      let machine = try await host.makeMachine()
      let read = try JSONSerialization.jsonObject(with: Data(contentsOf: host.file(of: machine)))
      let record = try #require(read as? [String: Any])
      #expect(
        Set(record.keys) == ["uuid", "installation", "disk", "definition", "boot", "endedByGuest", "quirks"])
      let disk = try #require(record["disk"] as? [String: Any])
      #expect(Set(disk.keys) == ["imageName", "imageVersion", "createdAtMilliseconds", "storageGiB"])
      let boot = try #require(record["boot"] as? [String: Any])
      #expect(Set(boot.keys) == ["definition", "hostname", "startedAtMilliseconds", "sshPort"])
      let definition = try #require(record["definition"] as? NSDictionary)
      #expect(definition["address"] is String && definition["vcpus"] is Int)
      #expect(boot["definition"] as? NSDictionary == definition)
    }
  }

  @Test("A record keeps everything that a machine can have")
  func everything() throws {
    let rescue = RescueSpecification(
      imageName: "rescue", imageVersion: "1", storageGiB: 3, authorizedKey: "ssh-ed25519 AAAA me@here",
      rootPasswordHash: "$6$rescue", mayCreateDisk: true)
    let specification = MachineSpecification(
      machine: UUID(), label: "server-1", hostname: Hostname("web-1")!, vcpus: 1, memoryMiB: 512, storageGiB: 5,
      imageName: "debian-12", imageVersion: "1",
      interface: NetworkInterface(address: AddressPool("127.80.0.0/16")!.first),
      authorizedKey: "ssh-ed25519 AAAA me@here", rootPasswordHash: "$6$own", mayCreateDisk: true, userData: "#!/bin/sh",
      rescue: rescue)
    let now = Timestamp(millisecondsSinceEpoch: 1_768_000_000_000)
    var machine = SimulatedMachine(specification.machine, installation: UUID(), quirks: [.isInstant])
    var disk = SimulatedMachine.Disk(specification, at: now)
    disk.content = "kept"
    disk.passwordHashes = ["root": "$6$set"]
    machine.disk = disk
    machine.rescueDisk = SimulatedMachine.Disk(rescue, at: now)
    machine.definition = SimulatedMachine.Definition(specification)
    machine.firewall = .disabled
    machine.allowance = NetworkAllowance(mayMail: true, speedMbit: 10)
    machine.isArriving = true
    try machine.start(at: now, sshPort: 2222)
    machine.boot?.addresses = ["127.80.0.1"]
    machine.boot?.shutdownRequestedAtMilliseconds = 5
    machine.boot?.pausedAtMilliseconds = 4

    let data = try JSONEncoder().encode(machine)
    #expect(try JSONDecoder().decode(SimulatedMachine.self, from: data) == machine)
    let record = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect(
      Set(record.keys) == [
        "uuid", "installation", "disk", "rescueDisk", "definition", "firewall", "allowance", "boot", "endedByGuest",
        "quirks", "isArriving",
      ])
    // What is added later is to be set above.
    #expect(Mirror(reflecting: machine).children.count == record.count)
    let (boot, bootRecord) = (try #require(machine.boot), try #require(record["boot"] as? [String: Any]))
    #expect(Mirror(reflecting: boot).children.count == bootRecord.count)
  }

  @Test("Calls that come while the records are read all wait for them")
  func together() async throws {
    try await withSimulatedHost { host in
      let machine = try await host.makeMachine()
      let restarted = try host.another()
      try await withThrowingTaskGroup(of: MachinePower.self) { group in
        for _ in 1...20 { group.addTask { try await restarted.power(of: machine) } }
        for try await power in group { #expect(power == .running) }
      }
    }
  }

  @Test("The cause of being off is remembered")
  func offCause() async throws {
    try await withSimulatedHost { host in
      let poweredOff = try await host.makeMachine()
      let crashed = try await host.makeMachine()
      try host.driver.guestPowersOff(poweredOff)
      try host.driver.crash(crashed)
      let restarted = try host.another()
      #expect(try await restarted.power(of: poweredOff) == .off(.guestShutdown))
      #expect(try await restarted.power(of: crashed) == .off(.other))
    }
  }

  @Test("Two installations on one folder do not see, change or remove each other's machines")
  func installations() async throws {
    try await withSimulatedHost { host in
      let machine = try await host.makeMachine()
      let stranger = try host.another(installation: UUID())
      #expect(try await stranger.observe().powers.isEmpty)
      #expect(try await stranger.power(of: machine) == .absent)
      await #expect(throws: DriverError.self) { try await stranger.start(machine) }
      let error = await #expect(throws: DriverError.self) {
        try await stranger.ensureDefined(host.specification(machine: machine))
      }
      #expect(error?.kind == .rejected)
      try await stranger.ensureAbsent(machine)
      #expect(try await host.another().power(of: machine) == .running)
    }
  }

  @Test("A file that was cut short is no machine, is replaced where a disk may be made, and can be removed")
  func damagedFile() async throws {
    try await withSimulatedHost { host in
      let machine = try await host.makeMachine()
      try Data("{\"uuid\":".utf8).write(to: host.file(of: machine))
      let restarted = try host.another()
      #expect(try await restarted.power(of: machine) == .absent)
      let error = await #expect(throws: DriverError.self) {
        try await restarted.ensureDefined(host.specification(machine: machine, mayCreateDisk: false))
      }
      #expect(error?.kind == .notFound)
      try await restarted.ensureDefined(host.specification(machine: machine))
      #expect(try await host.another().power(of: machine) == .off(.other))

      try Data().write(to: host.file(of: machine))
      try await host.another().ensureAbsent(machine)
      #expect(!FileManager.default.fileExists(atPath: host.file(of: machine).path))
    }
  }

  @Test("A removed machine leaves no file, not even one that a killed process was writing")
  func noRemnant() async throws {
    try await withSimulatedHost { host in
      let machine = try await host.makeMachine()
      let folder = host.file(of: machine).deletingLastPathComponent()
      try Data("{".utf8).write(to: folder.appendingPathComponent(host.file(of: machine).lastPathComponent + ".new"))
      #expect(try await host.another().observe().powers.count == 1)
      try await host.driver.ensureAbsent(machine)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }
  }

  @Test("Looking at machines writes nothing")
  func lookingWritesNothing() async throws {
    try await withSimulatedHost { host in
      let machine = try await host.makeMachine()
      try await host.driver.requestShutdown(machine)
      host.clock.advance(by: .seconds(1))
      try FileManager.default.removeItem(at: host.folder)
      #expect(try await host.driver.observe().powers[machine] == .off(.guestShutdown))
      #expect(try await host.driver.power(of: machine) == .off(.guestShutdown))
      _ = try await host.driver.readiness(of: machine)
      #expect(!FileManager.default.fileExists(atPath: host.folder.path))
    }
  }

  @Test("What cannot be written down did not happen, and can be tried again")
  func unwritable() async throws {
    try await withSimulatedHost { host in
      let machine = try await host.makeMachine(isRunning: false)
      let folder = host.file(of: machine).deletingLastPathComponent()
      try FileManager.default.removeItem(at: folder)
      let error = await #expect(throws: DriverError.self) { try await host.driver.start(machine) }
      #expect(error?.isWorthRetrying == true)
      #expect(try await host.driver.power(of: machine) == .off(.other))
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try await host.driver.start(machine)
      #expect(try await host.another().power(of: machine) == .running)
    }
  }

  @Test("Only the owner can read a machine's file, which bears a password hash")
  func permissions() async throws {
    try await withSimulatedHost { host in
      let path = host.file(of: try await host.makeMachine()).path
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      #expect(attributes[.posixPermissions] as? Int == 0o600)
    }
  }
}
