import Core
import Foundation
import SimulatedDriver
import Synchronization
import TestSupport
import Testing

@testable import vpsd

@Suite("All servers of a host are stopped")
struct HostShutdownTests {
  @Test("Each is asked again until it listens, and none suffers for another's error")
  func everyMachine() async throws {
    let service = try await TestService()
    var machines: [UUID] = []
    for _ in 1...6 {
      let id = try await service.activeServer()
      machines.append(try #require(try await service.store.server(id)).uuid)
    }
    let (driver, failure) = (service.driver, DriverError(.unreachable, "the guest does not answer"))
    let (late, deaf, broken, stubborn) = (machines[0], machines[1], machines[2], machines[3])
    driver.inject(Fault(in: .requestShutdown, of: late, .fail(failure), times: 2))
    try driver.setQuirks([.ignoresShutdown], of: deaf)
    driver.inject(Fault(in: .requestShutdown, of: broken, .fail(failure), times: nil))
    try driver.setQuirks([.ignoresShutdown], of: stubborn)
    driver.inject(Fault(in: .powerOff, of: stubborn, .fail(failure), times: nil))
    driver.forgetCalls()

    let lines = Mutex<[String]>([])
    // Until the deadline no time passes while somebody is still at work on a machine that is on.
    let patience = service.clock.uptime + driver.timing.shutdownDeadline - driver.timing.pollInterval
    let time = Task { [clock = service.clock] in
      while !Task.isCancelled {
        let running = try await driver.observe().powers.values.filter(\.isOn).count
        await clock.whenSleeping(clock.uptime < patience ? max(1, running) : 1)
        clock.advance(by: driver.timing.pollInterval)
      }
    }
    let left = try await HostShutdown(driver: driver, clock: service.clock) { line in
      lines.withLock { $0.append(line) }
    }.run()
    time.cancel()

    #expect(left == [stubborn])
    for machine in [late, machines[4], machines[5]] {
      expectEqual(try await driver.power(of: machine), .off(.guestShutdown))
    }
    for machine in [deaf, broken] { expectEqual(try await driver.power(of: machine), .off(.other)) }
    func requests(of machine: UUID) -> Int {
      driver.calls.filter { $0 == DriverCall(.requestShutdown, machine) }.count
    }
    let asked = Int(driver.timing.shutdownDeadline.components.seconds) / 5
    for machine in [deaf, broken, stubborn] { #expect((2...asked).contains(requests(of: machine))) }
    #expect(requests(of: machines[4]) == 1)
    let report = lines.withLock { $0 }
    #expect(report.first == "Stopping 6 server(s).")
    for machine in [deaf, broken, stubborn] {
      #expect(
        report.filter { $0.contains(machine.uuidString.lowercased()) && $0.contains("power is taken") }.count == 1)
    }
    #expect(report.contains("The server \(broken.uuidString.lowercased()): The guest does not answer."))
  }
}
