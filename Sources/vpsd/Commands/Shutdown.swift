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

  /// How long to wait for requests and steps that are under way.
  private static let drainDeadline = Duration.seconds(180)
  private static let pollInterval = Duration.milliseconds(100)

  func run() async throws {
    let configuration = try options.load()
    let directory = DataDirectory(configuration.dataDirectory)
    try directory.requireOurs()
    if servers, configuration.sharesHosts {
      throw ValidationError(
        "The hosts belong to all services of the database: shut servers down one by one (vpsd server stop), or end all services, and "
          + "start one without simulated_dir before this.")
    }
    if let holder = ProcessLock.holder(path: directory.lock), !holder.isService {
      throw Refusal.refused(
        "\(holder) is at work on this data directory, and no service is: wait for its end.")
    }
    try await record()
    try await stopService(directory)
    guard servers, FileManager.default.fileExists(atPath: configuration.dataDirectory.path) else { return }
    // The lock keeps a service from starting meanwhile.
    let lock = try ProcessLock(path: directory.lock, for: "shutdown")
    // A database that no service has used has no machines, and one of another version is left as it is.
    guard let installation = try await configuration.installationID() else { return }
    try await stopServers(of: installation, configuration)
    withExtendedLifetime(lock) {}
  }

  private func stopServers(of installation: UUID, _ configuration: Configuration) async throws {
    let drivers = try HostedFleet.drivers(configuration, installation: installation)
    var left = 0
    for driver in drivers {
      left += try await HostShutdown(driver: driver, clock: SystemClock()) { print($0) }.run().count
    }
    guard left == 0 else {
      throw ValidationError(
        "\(left) server(s) run on. Whatever runs them stays for them, so that this can be tried again.")
    }
    for driver in drivers { try await driver.endHost() }
  }

  /// A database that cannot be written does not prevent the shutdown.
  private func record() async throws {
    guard let database = try? await options.openDatabase() else { return }
    try? await database.recordOperator(
      "service.shutdown", detail: servers ? "with its servers" : nil, at: SystemClock().now)
  }

  private func stopService(_ directory: DataDirectory) async throws {
    guard let service = ProcessLock.holder(path: directory.lock), service.isService else { return }
    let process = service.process
    guard kill(process, SIGTERM) == 0 else {
      throw ValidationError("The service, process \(process), cannot be signalled.")
    }
    let clock = SystemClock()
    let deadline = clock.uptime + Self.drainDeadline
    while ProcessLock.holder(path: directory.lock) == service {
      guard clock.uptime < deadline else {
        throw ValidationError("The service, process \(process), did not end in time.")
      }
      try await clock.sleep(for: Self.pollInterval)
    }
    print("The service has ended.")
  }
}
