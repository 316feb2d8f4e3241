import ArgumentParser
import Core
import Foundation
import SQLStore

struct Shutdown: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Stop the service, and with --servers all its servers too.",
    discussion: """
      Servers are asked to shut down and, after a deadline, have their power taken away. What was active starts again when \
      the service does, as after a restart of the host. A libvirtd that vpsd started for itself ends as well.
      """)

  @OptionGroup var options: ConfigurationOptions
  @Flag(help: "Stop the servers too.") var servers = false

  /// Requests in flight and steps under way are waited for.
  private static let drainDeadline = Duration.seconds(180)
  private static let pollInterval = Duration.milliseconds(100)

  func run() async throws {
    let configuration = try options.load()
    let directory = DataDirectory(configuration.dataDirectory)
    try await record()
    try await stopService(directory)
    guard servers, FileManager.default.fileExists(atPath: directory.database) else { return }
    // Held so that no service starts in the middle.
    let lock = try ProcessLock(path: directory.lock)
    let store = try options.openStore()
    let driver = try await configuration.makeDriver(
      installation: store.installationID(), clock: SystemClock(), logger: configuration.makeCommandLogger())
    try await stopMachines(driver)
    try await driver.endHost()
    withExtendedLifetime(lock) {}
  }

  /// A database that cannot be written is no reason not to stop.
  private func record() async throws {
    guard let database = try? options.openDatabase() else { return }
    try? await database.recordOperator(
      "service.shutdown", detail: servers ? "with its servers" : nil, at: SystemClock().now)
  }

  private func stopService(_ directory: DataDirectory) async throws {
    guard let process = ProcessLock.holder(path: directory.lock) else { return }
    guard kill(process, SIGTERM) == 0 else {
      throw ValidationError("The service, process \(process), cannot be signalled.")
    }
    let clock = SystemClock()
    let deadline = clock.uptime + Self.drainDeadline
    while ProcessLock.holder(path: directory.lock) != nil {
      guard clock.uptime < deadline else {
        throw ValidationError("The service, process \(process), did not end in time.")
      }
      try await clock.sleep(for: Self.pollInterval)
    }
    print("The service has ended.")
  }

  private func stopMachines(_ driver: any HostedDriver) async throws {
    let running = try await Self.running(driver)
    if running.isEmpty { return }
    print("Stopping \(running.count) server(s).")
    for machine in running { try await driver.requestShutdown(machine) }
    let clock = SystemClock()
    let deadline = clock.uptime + driver.timing.shutdownDeadline
    while clock.uptime < deadline, try await !Self.running(driver).isEmpty {
      try await clock.sleep(for: Self.pollInterval)
    }
    for machine in try await Self.running(driver) {
      print("A server did not shut down in time; its power is taken away: \(machine)")
      try await driver.powerOff(machine)
    }
  }

  private static func running(_ driver: any ComputeDriver) async throws -> [UUID] {
    try await driver.observe().filter { $0.value.power == .running || $0.value.power == .paused }.map(\.key)
  }
}
