import Core
import Foundation
import Logging
import PrivateFiles

/// Copies the state on a schedule. The time of the last copy is in its name, so that a service that was down makes the copy
/// that is due when it starts.
struct StateBackups: Sendable {
  let copy: StateCopy
  let folder: StateBackupFolder
  let every: Duration
  let keptCount: Int
  let clock: any WallClock
  let logger: Logger

  /// The longest pause, because the clock can be set, and copies can be removed.
  static let interval = Duration.seconds(60)
  /// The pause after a failure.
  static let retryInterval = Duration.seconds(600)

  /// Runs until cancellation.
  func run() async {
    while !Task.isCancelled {
      let pause = await pollOnce()
      try? await clock.sleep(for: pause)
    }
  }

  /// Writes a copy if one is due, and returns the time until the next check.
  func pollOnce() async -> Duration {
    do {
      let now = clock.now
      let times = try await StateBackupFolder.onThread { [folder] in
        try folder.ensureExists()
        return try folder.times()
      }
      // A copy with a later time was made before the clock was set back.
      if let newest = times.last(where: { $0 <= now }), now - newest < every { return Self.interval }
      try await write(at: now)
      return Self.interval
    } catch {
      logger.error(
        "the state could not be copied to state_backups.directory",
        metadata: ["folder": "\(folder.path)", "error": "\(Worded.error(error))"])
      return Self.retryInterval
    }
  }

  private func write(at now: Timestamp) async throws {
    try await StateBackupFolder.onThread { [folder] in folder.removePartial() }
    let key = try await copy.write(to: folder.partial)
    try await StateBackupFolder.onThread { [folder] in
      try folder.keep(now)
      try PrivateFile.sync(folder.path)
    }
    logger.info("the state was copied", metadata: ["copy": "\(folder.file(of: now))"])
    if case .unfit(let fault) = key {
      logger.warning("the copy of the state has no key beside it: \(fault)")
    }
    try await StateBackupFolder.onThread { [folder, keptCount] in try folder.prune(to: keptCount, at: now) }
  }
}

extension Configuration {
  /// Nil where no folder is configured.
  func stateBackups(_ copy: StateCopy, of installation: UUID, clock: any WallClock, logger: Logger) -> StateBackups? {
    stateBackups.directory.map {
      StateBackups(
        copy: copy, folder: StateBackupFolder(path: $0.path, installation: installation),
        every: .seconds(60 * stateBackups.everyMinutes), keptCount: stateBackups.keptCount, clock: clock, logger: logger
      )
    }
  }
}
