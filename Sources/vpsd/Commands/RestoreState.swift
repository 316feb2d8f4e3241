import ArgumentParser
import Core
import Foundation
import SQLStore

struct RestoreState: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore-state", abstract: "Put a copy made by backup-state in the place of the database.",
    discussion: """
      The service must not be running. The database that was there is kept beside the new one. Machines that were made since \
      the copy belong to no server any more, and are removed with their disks when the service starts; servers that were \
      deleted since then have no disk any more, and end in error.
      """)

  @OptionGroup var options: ConfigurationOptions
  @Argument(help: "The copy.") var file: String

  func run() async throws {
    let directory = DataDirectory(try options.load().dataDirectory)
    try directory.ensureExists()
    // Held so that no service starts in the middle.
    let lock = try ProcessLock(path: directory.lock)
    let incoming = directory.database + ".restored"
    try? FileManager.default.removeItem(atPath: incoming)
    defer { for suffix in ["", "-wal", "-shm"] { unlink(incoming + suffix) } }
    guard FileManager.default.fileExists(atPath: file) else { throw ValidationError("There is no file \(file).") }
    try FileManager.default.copyItem(atPath: file, toPath: incoming)
    try await Self.requireUsable(incoming)
    let kept = try keepCurrent(directory)
    guard rename(incoming, directory.database) == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
    if let database = try? options.openDatabase() {
      try? await database.recordOperator("state.restore", detail: file, at: SystemClock().now)
    }
    print("The state is that of \(file)." + (kept.map { " What was there before is in \($0)." } ?? ""))
    withExtendedLifetime(lock) {}
  }

  /// A database of ours without contradictions; one of an earlier version is brought up to date here, before it counts.
  private static func requireUsable(_ path: String) async throws {
    let database: SQLStore
    do {
      database = try SQLStore(path: path)
      guard try await database.isBootstrapped() else { throw ValidationError("It holds no installation.") }
    } catch {
      throw ValidationError("This is no state that can be put back: \(error)")
    }
    let contradictions = try await database.contradictions()
    guard contradictions.isEmpty else {
      throw ValidationError("The copy contradicts itself:\n" + contradictions.joined(separator: "\n"))
    }
    // All of it in the one file that is moved.
    try database.release()
  }

  /// Links, so that whenever this process ends, all that was there is under one of the two names.
  private func keepCurrent(_ directory: DataDirectory) throws -> String? {
    guard FileManager.default.fileExists(atPath: directory.database) else { return nil }
    // One that can still be opened needs its log no more; one that cannot is kept with it.
    try? SQLStore(path: directory.database).release()
    let kept = directory.database + ".before-\(Int(Date().timeIntervalSince1970))"
    for suffix in ["", "-wal"] where FileManager.default.fileExists(atPath: directory.database + suffix) {
      guard link(directory.database + suffix, kept + suffix) == 0 else {
        throw POSIXError(.init(rawValue: errno) ?? .EIO)
      }
    }
    // SQLite would carry a log that is left over into the database that takes the place of its own.
    for suffix in ["-wal", "-shm"] { unlink(directory.database + suffix) }
    return kept
  }
}
