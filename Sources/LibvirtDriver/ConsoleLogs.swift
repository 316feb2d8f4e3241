import Core
import Foundation
import Logging

/// Truncates the console logs of all servers when they grow too long, because a guest may write to its console without end.
/// Works every 15 seconds, whether libvirt and the guests answer or not.
struct ConsoleLogs: Sendable {
  let dataDirectory: String
  let clock: any WallClock
  let logger: Logger

  static let interval: Duration = .seconds(15)
  private let threads = BlockingThreads(name: "consoles", width: 1)

  init(dataDirectory: String, clock: any WallClock, logger: Logger) {
    self.dataDirectory = dataDirectory
    self.clock = clock
    self.logger = logger
  }

  /// Returns when the task is cancelled.
  func run() async {
    while !Task.isCancelled {
      let next = clock.uptime + Self.interval
      do {
        try await threads.run("trim the console logs", within: Self.interval) { [dataDirectory] in
          for machine in try ServerFiles.machines(dataDirectory: dataDirectory) {
            ServerFiles(dataDirectory: dataDirectory, machine: machine).trimConsole()
          }
        }
      } catch {
        logger.warning("console logs could not be trimmed", metadata: ["error": "\(error)"])
      }
      try? await clock.sleep(until: next)
    }
  }
}
