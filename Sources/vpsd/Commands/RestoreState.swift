import ArgumentParser
import Core
import Engine
import Foundation
import PrivateFiles
import SQLStore

struct RestoreState: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore-state", abstract: "Put a copy made by backup-state in the place of the database.",
    discussion: """
      The service must not be running. The database that was there is kept beside the new one. FILE.key, where it is there, takes \
      the place of secret.key, which is kept, too. Machines that were made since \
      the copy belong to no server any more, and are removed with their disks when the service starts; servers that were \
      deleted since then have no disk any more, and end in error. Where there are servers, a copy of another installation is \
      refused.
      """)

  @OptionGroup var options: ConfigurationOptions
  @Argument(help: "The copy.") var file: String

  func run() async throws {
    let configuration = try options.load()
    try configuration.requireFile("vpsd restore-state")
    let directory = DataDirectory(configuration.dataDirectory)
    try directory.ensureExists()
    // The lock keeps a service from starting meanwhile.
    let lock = try ProcessLock(path: directory.lock, for: "restore-state")
    let incoming = directory.database + ".restored"
    unlink(incoming)
    defer { for suffix in ["", "-wal", "-shm"] { unlink(incoming + suffix) } }
    do {
      try Self.copyFile(file, to: incoming)
      // A state of an earlier version is migrated here, before it replaces the present one.
      try await SQLStore.requireServable(incoming)
    } catch let error as UnfitState {
      throw ValidationError("\(file) is no state that can be put back. \(error)")
    }
    if let installation = try SQLStore.installationID(at: incoming) {
      // A database that cannot be read says nothing of whose it was.
      try directory.requireServers(of: installation, after: try? SQLStore.installationID(at: directory.database))
    }
    let (key, warning) = try await keyChange(for: incoming, in: directory)
    let seconds = Self.freeTime(in: directory)
    let kept = try keepCurrent(directory, seconds)
    // The key comes first: if the command is interrupted after this, it can be repeated, and the key opens the restored state.
    if let key { try directory.replaceKey(by: key, at: seconds, with: kept) }
    // SQLite would apply a log that is left over to the new database.
    for suffix in ["-wal", "-shm"] { unlink(directory.database + suffix) }
    guard rename(incoming, directory.database) == 0 else { throw FileFailure.last("rename", incoming) }
    if let database = try? await options.openDatabase() {
      try? await database.recordOperator("state.restore", detail: file, at: SystemClock().now)
    }
    let before = kept.map { " What was there before is in \($0.escaped())." }
    print("The state is that of \(file.escaped())." + (before ?? "") + (warning.map { " \($0)" } ?? ""))
    withExtendedLifetime(lock) {}
  }

  /// The key that must replace the present one, and a warning if no available key opens the sealed user data.
  private func keyChange(
    for incoming: String, in directory: DataDirectory
  ) async throws -> (new: InstallationKey?, warning: String?) {
    let store = try SQLStore(path: incoming, .asItIs)
    let sealed: (server: UUID, bytes: [UInt8])?
    do {
      sealed = try await store.sealedUserData()
      try store.release()
    } catch {
      try? store.release()
      throw error
    }
    // An invalid key, or one that others may read, does not matter if the other key opens the data.
    let (brought, broughtFault) = try Self.key(at: "\(file).key", mayBeSeen: true)
    let (own, ownFault) = try Self.key(at: directory.secretKey)
    guard let sealed else { return (own == nil ? brought : nil, brought == nil ? ownFault?.description : nil) }
    func opens(_ key: InstallationKey?) -> Bool { key?.open(userData: sealed.bytes, of: sealed.server) != nil }
    if opens(own) { return (nil, nil) }
    if opens(brought) { return (brought, nil) }
    if let fault = ownFault ?? broughtFault { throw fault }
    if brought != nil { throw ValidationError("\(file).key does not open what is sealed in \(file).") }
    return (
      nil,
      "The user data of its servers is sealed with a key that is not here: put the one that it was made with in the place of "
        + "\(directory.secretKey.escaped())."
    )
  }

  private static func key(
    at path: String, mayBeSeen: Bool = false
  ) throws -> (key: InstallationKey?, fault: DataDirectory.Unfit?) {
    do {
      return (try DataDirectory.key(at: path, mayBeSeen: mayBeSeen), nil)
    } catch let fault as DataDirectory.Unfit {
      return (nil, fault)
    }
  }

  /// Copies only a regular file, and never blocks on a pipe or device.
  private static func copyFile(_ source: String, to destination: String) throws {
    switch FileStatus(source)?.type {
    case .typeRegular?, nil: break
    case .typeSymbolicLink?: throw ValidationError("\(source) is a link: name the file itself.")
    case _?: throw ValidationError("\(source) is no file.")
    }
    let input = open(source, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY)
    guard input >= 0 else { throw FileFailure.last("open", source) }
    defer { close(input) }
    do {
      try PrivateFile.create(new: destination) { file throws(HostError) in
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
          let count = read(input, &buffer, buffer.count)
          if count < 0, errno == EINTR { continue }
          guard count >= 0 else { throw .last("read \(source)") }
          if count == 0 { return }
          try file.write(buffer[..<count])
        }
      }
    } catch {
      throw FileFailure(error)
    }
  }

  /// The second in the names of the files that are kept, the same for database and key: the first one for which neither exists.
  private static func freeTime(in directory: DataDirectory) -> Int {
    let now = Int(Date().timeIntervalSince1970)
    let isFree = { (seconds: Int) in
      [directory.database, directory.secretKey].allSatisfy {
        !FileManager.default.fileExists(atPath: "\($0).before-\(seconds)")
      }
    }
    return (now..<now + 1000).first(where: isFree) ?? now
  }

  /// Keeps the present database under a second name. Links are made, so that it exists under at least one name whenever this
  /// process ends.
  private func keepCurrent(_ directory: DataDirectory, _ seconds: Int) throws -> String? {
    guard FileManager.default.fileExists(atPath: directory.database) else { return nil }
    // A database that can be opened no longer needs its log; one that cannot is kept with it.
    try? SQLStore(path: directory.database, .asItIs).release()
    let kept = directory.database + ".before-\(seconds)"
    for suffix in ["", "-wal"] where FileManager.default.fileExists(atPath: directory.database + suffix) {
      guard link(directory.database + suffix, kept + suffix) == 0 else { throw FileFailure.last("make", kept + suffix) }
    }
    return kept
  }
}
