import Core
import Foundation
import SimulatedDriver
import TestSupport
import Testing

@Suite("Simulated machines take their time by the clock")
struct TimingTests {
  @Test("A guest is ready when its boot is over, and not a moment before")
  func boot() async throws {
    try await withSimulatedHost { host in
      let machine = try await host.makeMachine(isRunning: false)
      try await host.driver.start(machine)
      host.clock.advance(by: .milliseconds(599))
      #expect(try await host.driver.readiness(of: machine) == Readiness(hasSSHBanner: false, hasAgent: false))
      host.clock.advance(by: .milliseconds(1))
      #expect(try await host.driver.readiness(of: machine) == Readiness(hasSSHBanner: true, hasAgent: true))
    }
  }

  @Test("A guest is off when its shutdown is over, counted from the first request")
  func shutdown() async throws {
    try await withSimulatedHost { host in
      let machine = try await host.makeMachine()
      try await host.driver.requestShutdown(machine)
      #expect(try await host.driver.readiness(of: machine).hasSSHBanner == false)
      host.clock.advance(by: .milliseconds(399))
      try await host.driver.requestShutdown(machine)
      #expect(try await host.driver.power(of: machine) == .running)
      host.clock.advance(by: .milliseconds(1))
      #expect(try await host.driver.power(of: machine) == .off(.guestShutdown))
    }
  }

  @Test("A machine that shut down boots anew")
  func bootAfterShutdown() async throws {
    try await withSimulatedHost { host in
      let machine = try await host.makeMachine()
      try await host.driver.requestShutdown(machine)
      host.clock.advance(by: .milliseconds(400))
      try await host.driver.start(machine)
      #expect(try await host.driver.power(of: machine) == .running)
      #expect(try await host.driver.readiness(of: machine).hasSSHBanner == false)
      host.clock.advance(by: .seconds(10))
      #expect(try await host.driver.power(of: machine) == .running)
      #expect(try await host.driver.readiness(of: machine).hasSSHBanner)
    }
  }

  @Test("The durations can be chosen")
  func durations() async throws {
    var options = SimulatedDriver.Options()
    options.bootDuration = .seconds(20)
    options.shutdownDuration = .seconds(5)
    options.timing = MachineTiming(
      bootDeadline: .seconds(90), shutdownDeadline: .seconds(9), pollInterval: .seconds(1))
    try await withSimulatedHost(options: options) { host in
      #expect(host.driver.timing == options.timing)
      let machine = try await host.makeMachine()
      #expect(try await host.driver.readiness(of: machine).hasSSHBanner == false)
      host.clock.advance(by: .seconds(20))
      #expect(try await host.driver.readiness(of: machine).hasSSHBanner)
      try await host.driver.requestShutdown(machine)
      host.clock.advance(by: .seconds(4))
      #expect(try await host.driver.power(of: machine) == .running)
    }
  }

  @Test("A clock that is set back neither breaks nor runs a counter below nothing")
  func clockSetBack() async throws {
    try await withSimulatedHost { host in
      let machine = try await host.makeMachine()
      host.clock.setTimeOfDay(to: host.clock.now - .seconds(3600))
      let usage = try #require(try await host.driver.observe().usage[machine])
      #expect(usage.cpuNanoseconds == 0)
      #expect(usage.network == NetworkCounters(receivedBytes: 0, sentBytes: 0))
    }
  }
}

@Suite("Simulated usage")
struct UsageTests {
  @Test("It grows with time, stays within the plan, and is the same for the same machine and time")
  func growth() async throws {
    try await withSimulatedHost { host in
      let machine = try await host.makeMachine()
      var last = try #require(try await host.driver.observe().usage[machine])
      for _ in 1...200 {
        host.clock.advance(by: .seconds(5))
        let usage = try #require(try await host.driver.observe().usage[machine])
        let cpu = usage.cpuNanoseconds - last.cpuNanoseconds
        #expect(cpu > 0 && cpu <= 5_000_000_000)
        let memory = try #require(usage.memoryUsedMiB)
        #expect(memory >= (try #require(last.memoryUsedMiB)) && memory < 512)
        let disk = try #require(usage.diskUsedBytes)
        #expect(disk > (try #require(last.diskUsedBytes)) && disk < 5 << 30)
        let (network, before) = (try #require(usage.network), try #require(last.network))
        #expect(network.receivedBytes > before.receivedBytes && network.sentBytes > before.sentBytes)
        last = usage
      }
      #expect(try await host.another().observe().usage[machine] == last)
    }
  }

  @Test("The counters of a machine begin anew with each boot; its disk does not")
  func counters() async throws {
    try await withSimulatedHost { host in
      let machine = try await host.makeMachine()
      host.clock.advance(by: .seconds(3600))
      let before = try #require(try await host.driver.observe().usage[machine])
      try await host.driver.powerOff(machine)
      #expect(try await host.driver.observe().powers[machine] == .off(.other))
      try await host.driver.start(machine)
      host.clock.advance(by: .seconds(1))
      let after = try #require(try await host.driver.observe().usage[machine])
      #expect(after.cpuNanoseconds < before.cpuNanoseconds)
      let (diskBefore, diskAfter) = (try #require(before.diskUsedBytes), try #require(after.diskUsedBytes))
      #expect(diskAfter > diskBefore)
    }
  }

  @Test("Two machines differ")
  func difference() async throws {
    try await withSimulatedHost { host in
      let (one, other) = (host.specification(), host.specification())
      for specification in [one, other] {
        try await host.driver.ensureDefined(specification)
        try await host.driver.start(specification.machine)
      }
      host.clock.advance(by: .seconds(3600))
      let observed = try await host.driver.observe()
      #expect(observed.usage[one.machine] != observed.usage[other.machine])
    }
  }
}
