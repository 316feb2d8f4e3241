import Core
import Foundation

/// Shuts down all machines of a host, independently of each other. Each guest is asked repeatedly until it reacts, and powered
/// off if it is not off by its deadline.
struct HostShutdown: Sendable {
  let driver: any ComputeDriver
  let clock: any WallClock
  /// Receives lines for the operator.
  let report: @Sendable (String) -> Void

  /// A guest that has just booted may ignore the first requests.
  private static let requestInterval = Duration.seconds(5)
  /// How long powering off a machine is retried.
  private static let powerOffLimit = Duration.seconds(60)

  /// Returns the machines that still run.
  func run() async throws -> Set<UUID> {
    let running = try await running()
    if running.isEmpty { return [] }
    report("Stopping \(running.count) server(s).")
    await withDiscardingTaskGroup { group in
      for machine in running { group.addTask { await stop(machine) } }
    }
    return try await self.running()
  }

  private func running() async throws -> Set<UUID> {
    let observed = try await driver.observe()
    return Set(observed.powers.filter(\.value.isOn).keys)
  }

  private func stop(_ machine: UUID) async {
    let name = machine.text
    var reported: String?
    func tell(_ error: any Error) {
      let text = "\(Worded.error(error))"
      if text != reported { report("The server \(name): \(text)") }
      reported = text
    }
    let began = clock.uptime
    var nextRequest = began
    while true {
      // The clock is read once, so that no guest is asked after the deadline.
      let now = clock.uptime
      guard now < began + driver.timing.shutdownDeadline else { break }
      do {
        guard try await driver.power(of: machine).isOn else { return }
        if now >= nextRequest {
          nextRequest = now + Self.requestInterval
          try await driver.requestShutdown(machine)
        }
      } catch {
        tell(error)
      }
      try? await clock.sleep(for: driver.timing.pollInterval)
    }
    report("The server \(name) did not shut down in time; its power is taken away.")
    let late = clock.uptime
    while clock.uptime < late + Self.powerOffLimit {
      do {
        try await driver.powerOff(machine)
        return
      } catch {
        tell(error)
      }
      try? await clock.sleep(for: driver.timing.pollInterval)
    }
  }
}
