import Core
import Foundation
import HostPrograms
import Logging

/// Shortens the console logs of all servers when they grow too long, because a guest may write to its console without end, and
/// the logs of their QEMUs, which a guest can make complain without end. Works every 15 seconds, whether libvirt and the guests
/// answer or not.
struct ConsoleLogs: Sendable {
  let dataDirectory: String
  /// The folder of the QEMUs' logs; nil where the host's libvirtd sees to them.
  let emulatorLogs: String?
  let clock: any WallClock
  let logger: Logger

  static let interval: Duration = .seconds(15)
  private let threads = BlockingThreads(name: "consoles", width: 1)

  init(dataDirectory: String, emulatorLogs: String?, clock: any WallClock, logger: Logger) {
    self.dataDirectory = dataDirectory
    self.emulatorLogs = emulatorLogs
    self.clock = clock
    self.logger = logger
  }

  /// Returns when the task is cancelled.
  func run() async {
    while !Task.isCancelled {
      let next = clock.uptime + Self.interval
      do {
        try await threads.run("trim the console logs", within: Self.interval) { try trim() }
      } catch {
        logger.warning("console logs could not be trimmed", metadata: ["error": "\(error)"])
      }
      try? await clock.sleep(until: next)
    }
  }

  /// One round. Blocks.
  func trim() throws {
    for machine in try ServerFiles.machines(dataDirectory: dataDirectory) {
      ServerFiles(dataDirectory: dataDirectory, machine: machine).trimConsole()
    }
    if let emulatorLogs { try QEMULog.trimAll(in: emulatorLogs) }
  }
}
