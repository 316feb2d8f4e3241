import Core
import Foundation
import Logging
import PrivateFiles

/// Copies the state on a schedule. When that was done last stands in the names of the copies: a service that was down makes the
/// one that is due when it is back.
struct StateBackups: Sendable {
  let copy: StateCopy
  let folder: StateBackupFolder
  let every: Duration
  let keptCount: Int
  let clock: any WallClock
  let logger: Logger

  /// The time of day can be set, and copies can be removed: nobody sleeps for longer than this.
  static let interval = Duration.seconds(60)
  /// After one that failed.
  static let retryInterval = Duration.seconds(600)

  /// Runs until cancellation.
  func run() async {
    while !Task.isCancelled {
      let pause = await pollOnce()
      try? await clock.sleep(for: pause)
    }
  }

  /// Writes a copy where one is due, and returns after how long to look again.
  func pollOnce() async -> Duration {
    do {
      try folder.ensureExists()
      let now = clock.now
      // One that seems to be made later was made before the clock was set.
      if let newest = try folder.times().last(where: { $0 <= now }), now - newest < every { return Self.interval }
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
    folder.removePartial()
    let key = try await copy.write(to: folder.partial)
    try folder.keep(now)
    try PrivateFile.sync(folder.path)
    logger.info("the state was copied", metadata: ["copy": "\(folder.file(of: now))"])
    if case .unfit(let fault) = key {
      logger.warning("the copy of the state has no key beside it: \(fault)")
    }
    try folder.prune(to: keptCount)
  }
}

extension Configuration {
  /// Nil where the service makes none of itself.
  func stateBackups(_ copy: StateCopy, of installation: UUID, clock: any WallClock, logger: Logger) -> StateBackups? {
    stateBackups.directory.map {
      StateBackups(
        copy: copy, folder: StateBackupFolder(path: $0.path, installation: installation),
        every: .seconds(60 * stateBackups.everyMinutes), keptCount: stateBackups.keptCount, clock: clock, logger: logger
      )
    }
  }
}
