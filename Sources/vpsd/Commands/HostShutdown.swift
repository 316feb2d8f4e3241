import Core
import Foundation

/// Asks all machines of a host to shut down, each again and again until it listens, and takes the power from those that do
/// not go off in their time. None waits for another, and none fails for another.
struct HostShutdown: Sendable {
  let driver: any ComputeDriver
  let clock: any WallClock
  /// Takes a line for the operator.
  let report: @Sendable (String) -> Void

  /// A guest that has just booted does not listen yet.
  private static let requestInterval = Duration.seconds(5)
  /// For a machine whose power cannot be taken away at the first try.
  private static let powerOffLimit = Duration.seconds(60)

  /// Returns the machines that run nevertheless.
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
      // Read once: who is looked at before the deadline is not asked after it.
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
