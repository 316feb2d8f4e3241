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
      deleted since then have no disk any more, and end in error.
      """)

  @OptionGroup var options: ConfigurationOptions
  @Argument(help: "The copy.") var file: String

  func run() async throws {
    let configuration = try options.load()
    try configuration.requireFile("vpsd restore-state")
    let directory = DataDirectory(configuration.dataDirectory)
    try directory.ensureExists()
    // Held so that no service starts in the middle.
    let lock = try ProcessLock(path: directory.lock)
    let incoming = directory.database + ".restored"
    unlink(incoming)
    defer { for suffix in ["", "-wal", "-shm"] { unlink(incoming + suffix) } }
    do {
      try Self.copyFile(file, to: incoming)
      // One of an earlier version is brought up to date here, before it counts.
      try await SQLStore.requireServable(incoming)
    } catch let error as UnfitState {
      throw ValidationError("\(file) is no state that can be put back. \(error)")
    }
    let (key, warning) = try await keyChange(for: incoming, in: directory)
    let seconds = Self.freeTime(in: directory)
    let kept = try keepCurrent(directory, seconds)
    // Whoever is stopped after this asks for the same once more: the key opens it then.
    if let key { try directory.replaceKey(by: key, at: seconds, with: kept) }
    // SQLite would carry a log that is left over into the database that takes the place of its own.
    for suffix in ["-wal", "-shm"] { unlink(directory.database + suffix) }
    guard rename(incoming, directory.database) == 0 else { throw FileFailure.last("rename", incoming) }
    if let database = try? await options.openDatabase() {
      try? await database.recordOperator("state.restore", detail: file, at: SystemClock().now)
    }
    let before = kept.map { " What was there before is in \($0.escaped())." }
    print("The state is that of \(file.escaped())." + (before ?? "") + (warning.map { " \($0)" } ?? ""))
    withExtendedLifetime(lock) {}
  }

  /// The key that is to take the place of the one that there is, and what is to be said where there is none that would do.
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
    // One that is none, or that others may read, is in the way of nothing that another one opens.
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

  /// Whatever has the name, nothing but a file is read, and nobody is waited for.
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

  /// The second by which what was there is named, the database and the key alike: the first one by which nothing is yet.
  private static func freeTime(in directory: DataDirectory) -> Int {
    let now = Int(Date().timeIntervalSince1970)
    let isFree = { (seconds: Int) in
      [directory.database, directory.secretKey].allSatisfy {
        !FileManager.default.fileExists(atPath: "\($0).before-\(seconds)")
      }
    }
    return (now..<now + 1000).first(where: isFree) ?? now
  }

  /// Links, so that whenever this process ends, all that was there is under one of the two names.
  private func keepCurrent(_ directory: DataDirectory, _ seconds: Int) throws -> String? {
    guard FileManager.default.fileExists(atPath: directory.database) else { return nil }
    // One that can still be opened needs its log no more; one that cannot is kept with it.
    try? SQLStore(path: directory.database, .asItIs).release()
    let kept = directory.database + ".before-\(seconds)"
    for suffix in ["", "-wal"] where FileManager.default.fileExists(atPath: directory.database + suffix) {
      guard link(directory.database + suffix, kept + suffix) == 0 else { throw FileFailure.last("make", kept + suffix) }
    }
    return kept
  }
}
