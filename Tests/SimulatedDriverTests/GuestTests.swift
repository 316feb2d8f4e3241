import Core
import Foundation
import SimulatedDriver
import TestSupport
import Testing

@Suite("What happens in the guests and to the host")
struct GuestTests {
  @Test("A poweroff inside is a shutdown of the guest; a crash is not")
  func powerOffAndCrash() async throws {
    try await withSimulatedHost { host in
      let (one, other) = (try await host.makeMachine(), try await host.makeMachine())
      try host.driver.guestPowersOff(one)
      try host.driver.crash(other)
      #expect(try await host.driver.power(of: one) == .off(.guestShutdown))
      #expect(try await host.driver.power(of: other) == .off(.other))
    }
  }

  @Test("A host that restarts leaves every machine off, and those that were shut down before as they were")
  func hostRestart() async throws {
    try await withSimulatedHost { host in
      let (running, stopped) = (try await host.makeMachine(), try await host.makeMachine())
      try await host.driver.requestShutdown(stopped)
      host.clock.advance(by: .seconds(1))
      try host.driver.hostRestarts()
      #expect(try await host.driver.power(of: running) == .off(.other))
      #expect(try await host.driver.power(of: stopped) == .off(.guestShutdown))
    }
  }

  @Test("A machine that vanished is absent, and its disk is not made again behind anyone's back")
  func vanish() async throws {
    try await withSimulatedHost { host in
      let machine = try await host.makeMachine()
      try host.driver.vanish(machine)
      #expect(try await host.driver.power(of: machine) == .absent)
      await #expect(throws: DriverError.self) {
        try await host.driver.ensureDefined(host.specification(machine: machine, mayCreateDisk: false))
      }
    }
  }

  @Test("A machine that lost its definition is a remnant, which can be defined again or removed")
  func remnant() async throws {
    try await withSimulatedHost { host in
      let machine = try await host.makeMachine()
      try host.driver.vanish(machine, keepingDisk: true)
      #expect(try await host.driver.observe().powers[machine] == .remnant)
      let error = await #expect(throws: DriverError.self) { try await host.driver.start(machine) }
      #expect(error?.kind == .notFound)
      try await host.driver.ensureDefined(host.specification(machine: machine, mayCreateDisk: false))
      #expect(try await host.driver.power(of: machine) == .off(.other))
      try host.driver.vanish(machine, keepingDisk: true)
      try await host.driver.ensureAbsent(machine)
      #expect(try await host.driver.observe().powers.isEmpty)
    }
  }

  @Test("A paused machine stands still, and can be resumed or switched off")
  func pause() async throws {
    try await withSimulatedHost { host in
      let machine = try await host.makeMachine()
      try host.driver.pause(machine)
      let paused = try await host.driver.observe()
      host.clock.advance(by: .seconds(60))
      #expect(paused.powers[machine] == .paused)
      #expect(try await host.driver.observe() == paused)
      #expect(try await host.driver.readiness(of: machine).hasAgent == false)
      host.driver.configure { $0.isDiskFull = true }
      await #expect { try await host.driver.resume(machine) } throws: { ($0 as? DriverError)?.kind == .exhausted }
      #expect(try await host.driver.power(of: machine) == .paused)
      host.driver.configure { $0.isDiskFull = false }
      try await host.driver.resume(machine)
      #expect(try await host.driver.power(of: machine) == .running)
      try host.driver.pause(machine)
      try await host.driver.powerOff(machine)
      #expect(try await host.driver.power(of: machine) == .off(.other))
    }
  }

  @Test("A guest can ignore the shutdown, and then only loses its power")
  func ignoredShutdown() async throws {
    var options = SimulatedDriver.Options()
    options.quirks = [.ignoresShutdown]
    try await withSimulatedHost(options: options) { host in
      let machine = try await host.makeMachine()
      try await host.driver.requestShutdown(machine)
      host.clock.advance(by: .seconds(3600))
      #expect(try await host.driver.power(of: machine) == .running)
      try await host.driver.powerOff(machine)
      #expect(try await host.driver.power(of: machine) == .off(.other))
    }
  }

  @Test("sshd and agent can each stay silent")
  func silence() async throws {
    try await withSimulatedHost { host in
      let machine = try await host.makeMachine()
      try host.driver.setQuirks([.sshNeverAnswers], of: machine)
      #expect(try await host.driver.readiness(of: machine) == Readiness(hasSSHBanner: false, hasAgent: true))
      try host.driver.setQuirks([.agentNeverAnswers], of: machine)
      #expect(try await host.driver.readiness(of: machine) == Readiness(hasSSHBanner: true, hasAgent: false))
      let error = await #expect(throws: DriverError.self) {
        try await host.driver.applyHostname(Hostname("new.example.com")!, to: machine)
      }
      #expect(error?.kind == .unreachable)
    }
  }

  @Test("A hostname reaches a running guest at once, a new definition at its next start")
  func hostname() async throws {
    try await withSimulatedHost { host in
      let specification = host.specification(name: "first")
      let machine = specification.machine
      try await host.driver.ensureDefined(specification)
      try await host.driver.start(machine)
      host.clock.advance(by: .seconds(1))
      try await host.driver.applyHostname(Hostname("second")!, to: machine)
      #expect(host.driver.machine(machine)?.boot?.hostname == "second")
      try await host.driver.ensureDefined(host.specification(machine: machine, vcpus: 4, name: "third"))
      #expect(host.driver.machine(machine)?.boot?.hostname == "second")
      #expect(host.driver.machine(machine)?.boot?.definition.vcpus == 1)
      try await host.driver.powerOff(machine)
      try await host.driver.start(machine)
      #expect(host.driver.machine(machine)?.boot?.hostname == "third")
      #expect(host.driver.machine(machine)?.boot?.definition.vcpus == 4)
    }
  }

  @Test("A disk grows with its plan, and never shrinks")
  func disk() async throws {
    try await withSimulatedHost { host in
      let machine = UUID()
      for (wanted, expected) in [(5, 5), (80, 80), (40, 80)] {
        try await host.driver.ensureDefined(host.specification(machine: machine, storageGiB: wanted))
        #expect(host.driver.machine(machine)?.disk?.storageGiB == expected)
      }
    }
  }

  @Test("An address that something else on the host holds is free for nobody")
  func occupiedAddress() async throws {
    try await withSimulatedHost { host async throws in
      let specification = host.specification()
      let (address, network) = (
        ServerAddress.ipv4(specification.interface.address), ServerAddress("2001:db8:10:1::/64")!
      )
      host.driver.configure { $0.occupiedAddresses = [address, network] }
      for occupied in [address, network] {
        #expect(try await !host.driver.isAddressFree(occupied, for: specification.machine))
      }
      #expect(try await host.driver.isAddressFree(ServerAddress("2001:db8:10:2::/64")!, for: specification.machine))
    }
  }

  @Test("A machine keeps the port that it was started with, in the next process too, and loses it only while it runs")
  func sshPort() async throws {
    try await withSimulatedHost { host async throws in
      let machine = try await host.makeMachine()
      host.driver.configure { $0.sshPort = 2222 }
      #expect(host.driver.sshPort(of: machine) == 22)
      #expect(host.driver.sshPort(of: UUID()) == 2222)
      try await host.driver.powerOff(machine)
      #expect(host.driver.sshPort(of: machine) == 2222)
      try await host.driver.start(machine)
      host.driver.configure { ($0.sshPort, $0.takenPorts) = (22, [2222]) }
      #expect(host.driver.sshPort(of: machine) == 2222)
      #expect(try host.another().sshPort(of: machine) == 2222)
      #expect(host.driver.lostPorts(of: machine) == [2222])
      try await host.driver.powerOff(machine)
      #expect(host.driver.lostPorts(of: machine).isEmpty)
    }
  }

  @Test("The host has no bound unless one is set, and tells a customer what to do about a missing image")
  func host() async throws {
    try await withSimulatedHost { host async throws in
      #expect(try await host.driver.capacity() == nil)
      let capacity = HostCapacity(vcpus: 4, memoryMiB: 4096, storageGiB: 100)
      host.driver.configure { $0.capacity = capacity }
      #expect(try await host.driver.capacity() == capacity)

      let error = await #expect(throws: DriverError.self) {
        try await host.driver.prepareImage("ubuntu-22.04", storageGiB: 10)
      }
      #expect(error?.customerReason?.hasPrefix("No image for this operating system is installed on this host.") == true)
      host.driver.configure { $0.images.insert("ubuntu-22.04") }
      #expect(try await host.driver.readyImage("ubuntu-22.04", storageGiB: 10) == "simulated-1")
    }
  }

  @Test("Whoever listens hears of what happens, and a stream that nobody reads any more ends")
  func events() async throws {
    try await withTemporaryFolder { folder in
      var host: SimulatedHost? = try SimulatedHost(folder: folder)
      let machine = try #require(try await host?.makeMachine())
      var heard = try #require(host?.driver.events()).makeAsyncIterator()
      try host?.driver.guestPowersOff(machine)
      #expect(await heard.next() != nil)
      host = nil
      #expect(await heard.next() == nil)
    }
  }
}

@Suite("The clock in a test's hand")
struct ManualClockTests {
  @Test("A sleeper wakes when its time has passed, and not before, whatever the time of day is set to")
  func sleep() async throws {
    let clock = ManualClock()
    let deadline = clock.uptime + .seconds(5)
    let sleeper = Task { try await clock.sleep(until: deadline) }
    await clock.whenSleeping()
    clock.setTimeOfDay(to: clock.now + .seconds(3600))
    clock.advance(by: .milliseconds(4999))
    #expect(clock.nextDeadline == clock.now + .milliseconds(1))
    clock.advance(by: .milliseconds(1))
    try await sleeper.value
    #expect(clock.nextDeadline == nil)
    try await clock.sleep(until: deadline)
  }

  @Test("A cancelled sleeper wakes at once")
  func cancellation() async throws {
    let clock = ManualClock()
    let sleeper = Task { try await clock.sleep(for: .seconds(5)) }
    await clock.whenSleeping()
    sleeper.cancel()
    await #expect(throws: CancellationError.self) { try await sleeper.value }
    #expect(clock.nextDeadline == nil)
  }
}

@Suite("Simulated firewalls")
struct SimulatedFirewallTests {
  @Test(
    "What is in force is what was defined or applied last, and outlives the process; where nothing is enforced, nothing is"
  )
  func inForce() async throws {
    try await withSimulatedHost { host in
      let first = Firewall(isEnabled: true, rules: [try FirewallRule(.inbound, .icmp)])
      let specification = host.specification()
      let machine = specification.machine
      try await host.driver.ensureDefined(specification)
      try await host.driver.applyFirewall(first, to: machine)
      #expect(host.driver.machine(machine)?.firewall == nil)

      host.driver.configure { $0.enforcesFirewalls = true }
      try await host.driver.ensureDefined(specification)
      #expect(host.driver.machine(machine)?.firewall == .disabled)
      try await host.driver.start(machine)
      try await host.driver.applyFirewall(first, to: machine)
      #expect(try host.another().machine(machine)?.firewall == first)
      try await host.driver.applyFirewall(first, to: UUID())
      #expect(try await host.driver.observe().powers.count == 1)
    }
  }
}
