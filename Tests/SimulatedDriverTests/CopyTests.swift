import Core
import Foundation
import SimulatedDriver
import TestSupport
import Testing

@Suite("Copies of simulated disks")
struct CopyTests {
  @Test("What was on the disk when the copy was begun comes back with a restore")
  func oldContent() async throws {
    try await withSimulatedHost { host in
      let (machine, copy) = (try await host.makeMachine(), UUID())
      try host.driver.guestWrites("old", on: machine)
      #expect(try await host.driver.ensureCopied(machine, as: copy) == .underWay)
      try host.driver.guestWrites("new", on: machine)
      host.clock.advance(by: .milliseconds(500))
      let copied = try #require(try await host.driver.copied(machine, as: copy))
      try await host.driver.powerOff(machine)

      func restore() async throws -> RestoreProgress {
        try await host.driver.ensureRestored(machine, from: copy, checksum: copied.checksum)
      }
      #expect(try await restore() == .underWay)
      host.clock.advance(by: .milliseconds(499))
      #expect(try await restore() == .underWay)
      #expect(host.driver.machine(machine)?.disk?.content == "new")
      host.clock.advance(by: .milliseconds(1))
      #expect(try await restore() == .done)
      #expect(host.driver.machine(machine)?.disk?.content == "old")
      #expect(try host.another().machine(machine)?.disk?.content == "old")
    }
  }

  @Test("Different content has a different checksum")
  func checksums() async throws {
    try await withSimulatedHost { host in
      let machine = try await host.makeMachine()
      let before = try await host.makeCopy(of: machine)
      try host.driver.guestWrites("more", on: machine)
      let after = try await host.makeCopy(of: machine)
      #expect(host.driver.copy(before)?.checksum != host.driver.copy(after)?.checksum)
    }
  }

  @Test("A whole copy outlives the process; half of one is begun anew by the next")
  func processDies() async throws {
    try await withSimulatedHost { host in
      let machine = try await host.makeMachine()
      let whole = try await host.makeCopy(of: machine)
      let half = UUID()
      try host.driver.guestWrites("at first", on: machine)
      #expect(try await host.driver.ensureCopied(machine, as: half) == .underWay)
      try host.driver.guestWrites("later", on: machine)
      host.clock.advance(by: .seconds(60))

      let next = try host.another()
      #expect(next.copy(whole) == host.driver.copy(whole))
      #expect(next.copy(half)?.isWhole == false)
      #expect(try await next.ensureCopied(machine, as: half) == .underWay)
      host.clock.advance(by: .milliseconds(500))
      let copied = try #require(try await next.copied(machine, as: half))
      try await next.powerOff(machine)
      #expect(try await next.ensureRestored(machine, from: half, checksum: copied.checksum) == .underWay)
      host.clock.advance(by: .milliseconds(500))
      #expect(try await next.ensureRestored(machine, from: half, checksum: copied.checksum) == .done)
      #expect(next.machine(machine)?.disk?.content == "later")
    }
  }

  @Test("Half of a copy cannot be restored")
  func half() async throws {
    try await withSimulatedHost { host in
      let (machine, copy) = (try await host.makeMachine(isRunning: false), UUID())
      #expect(try await host.driver.ensureCopied(machine, as: copy) == .underWay)
      let checksum = try #require(host.driver.copy(copy)).checksum
      let error = await #expect(throws: DriverError.self) {
        try await host.driver.ensureRestored(machine, from: copy, checksum: checksum)
      }
      #expect(error?.kind == .notFound)
    }
  }

  @Test("A machine that stops in the middle ends the copy, leaves nothing, and the next request begins anew")
  func stopsInTheMiddle() async throws {
    try await withSimulatedHost { host in
      let (machine, copy) = (try await host.makeMachine(), UUID())
      #expect(try await host.driver.ensureCopied(machine, as: copy) == .underWay)
      try host.driver.guestPowersOff(machine)
      let error = await #expect(throws: DriverError.self) { try await host.driver.ensureCopied(machine, as: copy) }
      #expect(error?.isWorthRetrying == true)
      #expect(host.driver.copy(copy) == nil)
      #expect(!FileManager.default.fileExists(atPath: host.file(ofCopy: copy).path))
      #expect(try await host.driver.ensureCopied(machine, as: copy) == .underWay)
      host.clock.advance(by: .milliseconds(500))
      #expect(try await host.driver.copied(machine, as: copy) != nil)
    }
  }

  @Test("A damaged copy is refused, and the disk is as it was")
  func damage() async throws {
    try await withSimulatedHost { host in
      let machine = try await host.makeMachine(isRunning: false)
      try host.driver.guestWrites("precious", on: machine)
      let copy = try await host.makeCopy(of: machine)
      let checksum = try #require(host.driver.copy(copy)).checksum
      try host.driver.damageCopy(copy)
      let error = await #expect(throws: DriverError.self) {
        try await host.driver.ensureRestored(machine, from: copy, checksum: checksum)
      }
      #expect(error?.kind == .rejected && error?.customerReason != nil)
      #expect(host.driver.machine(machine)?.disk?.content == "precious")
    }
  }

  @Test("A start ends a restore, which changes nothing any more")
  func startEndsRestore() async throws {
    try await withSimulatedHost { host in
      let machine = try await host.makeMachine(isRunning: false)
      let copy = try await host.makeCopy(of: machine)
      let checksum = try #require(host.driver.copy(copy)).checksum
      try host.driver.guestWrites("kept", on: machine)
      #expect(try await host.driver.ensureRestored(machine, from: copy, checksum: checksum) == .underWay)
      try await host.driver.start(machine)
      try await host.driver.powerOff(machine)
      host.clock.advance(by: .seconds(1))
      #expect(try await host.driver.ensureRestored(machine, from: copy, checksum: checksum) == .underWay)
      #expect(host.driver.machine(machine)?.disk?.content == "kept")
    }
  }

  @Test("A restore goes on between the calls; one that is ended changes nothing, and one that was done is told as that")
  func endedRestore() async throws {
    try await withSimulatedHost { host in
      let machine = try await host.makeMachine(isRunning: false)
      try host.driver.guestWrites("old", on: machine)
      let copy = try await host.makeCopy(of: machine)
      let checksum = try #require(host.driver.copy(copy)).checksum
      try host.driver.guestWrites("new", on: machine)
      #expect(try await host.driver.ensureRestored(machine, from: copy, checksum: checksum) == .underWay)
      #expect(try await !host.driver.endRestore(of: machine, from: copy))
      host.clock.advance(by: .seconds(1))
      #expect(host.driver.machine(machine)?.disk?.content == "new")

      #expect(try await host.driver.ensureRestored(machine, from: copy, checksum: checksum) == .underWay)
      host.clock.advance(by: .seconds(1))
      #expect(host.driver.machine(machine)?.disk?.content == "old")
      #expect(try await host.driver.endRestore(of: machine, from: copy))
      #expect(try await !host.driver.endRestore(of: machine, from: copy))
    }
  }

  @Test("A machine of which only copies are left is a remnant, which a delete removes")
  func onlyCopies() async throws {
    try await withSimulatedHost { host in
      let machine = try await host.makeMachine()
      let copy = try await host.makeCopy(of: machine)
      try host.driver.vanish(machine)
      let restarted = try host.another()
      #expect(try await restarted.observe() == MachineObservation(powers: [machine: .remnant]))
      #expect(try await restarted.power(of: machine) == .remnant)
      try await restarted.ensureAbsent(machine)
      #expect(try await restarted.observe().powers.isEmpty)
      #expect(!FileManager.default.fileExists(atPath: host.file(ofCopy: copy).path))
    }
  }

  @Test("Another installation neither sees nor removes a copy")
  func installations() async throws {
    try await withSimulatedHost { host in
      let machine = try await host.makeMachine()
      let copy = try await host.makeCopy(of: machine)
      let stranger = try host.another(installation: UUID())
      #expect(try await stranger.observe().powers.isEmpty)
      try await stranger.ensureCopyAbsent(copy, of: machine)
      try await stranger.ensureAbsent(machine)
      #expect(try host.another().copy(copy)?.isWhole == true)
    }
  }

  @Test("A disk that was removed takes its content with it; the next definition makes a new one from its image")
  func newDisk() async throws {
    var options = SimulatedDriver.Options()
    options.images.insert("debian-13")
    try await withSimulatedHost(options: options) { host in
      let machine = try await host.makeMachine(isRunning: false)
      try host.driver.guestWrites("old", on: machine)
      try await host.driver.ensureDiskAbsent(machine)
      #expect(try #require(host.another().machine(machine)).disk == nil)
      try await host.driver.ensureDefined(host.specification(machine: machine, imageName: "debian-13"))
      #expect(host.driver.machine(machine)?.disk?.imageName == "debian-13")
      #expect(host.driver.machine(machine)?.disk?.content == nil)
    }
  }
}

extension SimulatedDriver {
  /// Nil while it is under way.
  fileprivate func copied(_ machine: UUID, as copy: UUID) async throws -> CopiedDisk? {
    guard case .done(let disk) = try await ensureCopied(machine, as: copy) else { return nil }
    return disk
  }
}
