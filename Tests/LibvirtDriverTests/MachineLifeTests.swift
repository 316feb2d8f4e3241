import Core
import Foundation
import TestSupport
import Testing

@testable import LibvirtDriver

/// Real machines, one at a time: they need the image `debian-12` in VPSD_IMAGE_DIR.
@Suite("A machine through libvirt", .serialized, .timeLimit(.minutes(30)))
struct MachineLifeTests {
  @Test("A machine is defined, boots, is reached, observed, renamed, stopped, started, killed and removed")
  func life() async throws {
    try await PrivateHost.with { host in
      let specification = try await host.specification()
      try await bootsOnceWhateverIsRepeated(host, specification)
      try await tellsOfItself(host, specification)
      try await takesANewHostname(host, specification)
      try await outlivesItsDaemon(host, specification)
      try await shutsDownOnRequest(host, specification)
      try await keepsItsFiles(host, specification)
      try await endsWithoutTheGuest(host, specification)
      try await leavesNothing(host, specification)
    }
  }

  private func bootsOnceWhateverIsRepeated(_ host: PrivateHost, _ specification: MachineSpecification) async throws {
    let driver = host.driver
    let machine = specification.machine
    expectEqual(try await driver.power(of: machine), .absent)
    #expect(try await driver.isAddressFree(.ipv4(specification.interface.address), for: machine))
    try await driver.ensureDefined(specification)
    try await driver.ensureDefined(specification)
    expectEqual(try await driver.power(of: machine), .off(.other))
    #expect(
      try await driver.readiness(of: machine) == Readiness(hasSSHBanner: false, hasAgent: false))

    let begin = ContinuousClock.now
    var events = driver.events().makeAsyncIterator()
    try await driver.start(machine)
    try await driver.start(machine)
    await events.next()
    expectEqual(try await driver.power(of: machine), .running)
    try await eventually(
      "the guest's sshd greets", within: driver.timing.bootDeadline, every: driver.timing.pollInterval
    ) {
      try await driver.readiness(of: machine).hasSSHBanner
    }
    let greeting = ContinuousClock.now
    expectEqual(try await host.ssh(specification, "hostname"), "web")
    print("SSH banner \(greeting - begin) after the start, login after \(ContinuousClock.now - begin)")
    try await host.awaitReady(specification)
    print("agent \(ContinuousClock.now - begin) after the start")
    #expect(try await driver.isAddressFree(.ipv4(specification.interface.address), for: machine))
    #expect(try await !driver.isAddressFree(.ipv4(specification.interface.address), for: UUID()))
  }

  private func tellsOfItself(_ host: PrivateHost, _ specification: MachineSpecification) async throws {
    var usage: MachineUsage?
    try await eventually("memory, disk and network are measured", within: .seconds(240), every: .seconds(1)) {
      let observation = try await host.driver.observe()
      usage = observation.usage[specification.machine]
      return observation.powers[specification.machine] == .running && usage?.memoryUsedMiB != nil
        && usage?.network != nil
    }
    let measured = try #require(usage)
    #expect(measured.cpuNanoseconds > 1_000_000_000)
    #expect((16..<512).contains(measured.memoryUsedMiB ?? 0))
    #expect((100 << 20..<4 << 30).contains(measured.diskUsedBytes ?? 0))
    #expect((measured.network?.receivedBytes ?? 0) > 1000)
    #expect((measured.network?.sentBytes ?? 0) > 1000)
  }

  private func takesANewHostname(_ host: PrivateHost, _ specification: MachineSpecification) async throws {
    try await host.driver.applyHostname(try #require(Hostname("mail.example.org")), to: specification.machine)
    expectEqual(try await host.ssh(specification, "hostname; hostname -f"), "mail\nmail.example.org")
  }

  private func outlivesItsDaemon(_ host: PrivateHost, _ specification: MachineSpecification) async throws {
    let emulator = try #require(PrivateHost.emulator(of: specification.machine))
    let daemon = try #require(host.daemonProcess)
    var events = host.driver.events().makeAsyncIterator()
    kill(daemon, SIGKILL)
    // The driver comes back by itself, and says so.
    try await eventually("another libvirtd runs", within: .seconds(120)) {
      let process = host.daemonProcess
      return process != nil && process != daemon
    }
    await events.next()
    expectEqual(try await host.driver.observe().powers[specification.machine], .running)
    #expect(PrivateHost.emulator(of: specification.machine) == emulator)
  }

  private func shutsDownOnRequest(_ host: PrivateHost, _ specification: MachineSpecification) async throws {
    _ = try await host.ssh(specification, "echo kept > /root/file && sync")
    try await host.driver.requestShutdown(specification.machine)
    try await host.driver.requestShutdown(specification.machine)
    try await host.awaitPower(.off(.guestShutdown), of: specification.machine)
    let observed = try await host.driver.observe()
    #expect(observed.powers[specification.machine] == .off(.guestShutdown))
    #expect(observed.usage[specification.machine] == nil)
    try await host.driver.requestShutdown(specification.machine)
  }

  private func keepsItsFiles(_ host: PrivateHost, _ specification: MachineSpecification) async throws {
    let larger = try await host.specification(
      specification.machine, hostname: "mail.example.org", storageGiB: 6, mayCreateDisk: false)
    try await host.driver.ensureDefined(larger)
    try await host.driver.start(larger.machine)
    try await eventually(
      "the guest's sshd greets again", within: host.driver.timing.bootDeadline, every: host.driver.timing.pollInterval
    ) {
      try await host.driver.readiness(of: larger.machine).hasSSHBanner
    }
    let answer = try await host.ssh(larger, "cat /root/file; hostname; blockdev --getsize64 /dev/vda")
    #expect(answer == "kept\nmail\n\(6 << 30)")
  }

  private func endsWithoutTheGuest(_ host: PrivateHost, _ specification: MachineSpecification) async throws {
    let machine = specification.machine
    kill(try #require(PrivateHost.emulator(of: machine)), SIGKILL)
    try await host.awaitPower(.off(.other), of: machine)

    // What happens to it when the host is shut down: QEMU ends in order, and yet not because the guest wanted it.
    try await host.driver.start(machine)
    kill(try #require(PrivateHost.emulator(of: machine)), SIGTERM)
    try await eventually("the machine is off", within: .seconds(120)) {
      try await host.driver.power(of: machine) != .running
    }
    expectEqual(try await host.driver.power(of: machine), .off(.other))

    try await host.driver.start(machine)
    try await host.driver.powerOff(machine)
    try await host.driver.powerOff(machine)
    expectEqual(try await host.driver.power(of: machine), .off(.other))
  }

  private func leavesNothing(_ host: PrivateHost, _ specification: MachineSpecification) async throws {
    let machine = specification.machine
    try await host.driver.start(machine)
    try await host.driver.ensureAbsent(machine)
    try await host.driver.ensureAbsent(machine)
    expectEqual(try await host.driver.power(of: machine), .absent)
    #expect(try await host.driver.observe().powers.isEmpty)
    #expect(PrivateHost.emulator(of: machine) == nil)
    #expect(try ServerFiles.machines(dataDirectory: host.dataDirectory).isEmpty)
    await #expect { try await host.driver.start(machine) } throws: { ($0 as? DriverError)?.kind == .notFound }
  }
}
