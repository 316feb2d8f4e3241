import Foundation
import PrivateFiles

/// Everything that vpsd keeps on a machine is below one directory that nobody else may enter.
struct DataDirectory: Sendable {
  let path: String

  init(_ url: URL) {
    path = url.path
  }

  var database: String { path + "/vpsd.sqlite" }
  var token: String { path + "/token" }
  /// Where the service that runs now, or ran last, is reached from this machine: for vpsctl.
  var url: String { path + "/url" }
  /// What seals the texts in the database that the service must be able to read again.
  var secretKey: String { path + "/secret.key" }
  var lock: String { path + "/vpsd.lock" }

  struct Unfit: Error, CustomStringConvertible {
    let description: String
  }

  /// Makes it where there is none.
  func ensureExists() throws {
    do {
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw Unfit(description: "The data directory \(path) cannot be made: \(error.localizedDescription)")
    }
    try requireOurs()
  }

  /// Where others may write they could put another database, or another lock, in the place of ours, and where another user
  /// owns it, what we write could not be read by whoever serves it. One that is not there is fine.
  func requireOurs() throws {
    guard access(path, F_OK) == 0 || errno != ENOENT else { return }
    // It may be a link itself.
    guard let status = FileStatus(URL(fileURLWithPath: path).resolvingSymlinksInPath().path) else {
      throw Unfit(description: "The data directory \(path) cannot be looked at.")
    }
    guard status.type == .typeDirectory else {
      throw Unfit(description: "The data directory \(path) is no directory.")
    }
    guard status.user == geteuid() else {
      throw Unfit(
        description: "The data directory \(path) belongs to the user \(Self.name(of: status.user)), and this is "
          + "\(Self.name(of: geteuid())): run this as the user that the service runs as.")
    }
    guard status.permissions & 0o022 == 0 else {
      throw Unfit(
        description: "Others may write in the data directory \(path), and so replace what is in it. Close it to them: "
          + "chmod go-w \(path)")
    }
    for file in [database, lock] {
      guard let status = FileStatus(file) else { continue }
      // A link may lead two directories to one database, each with a lock of its own.
      guard status.type == .typeRegular else {
        throw Unfit(
          description:
            "\(file) is no file, but a link, a folder or something else. Two services could have it: put the "
            + "file itself there, or set data_dir to where it is.")
      }
    }
  }

  private static func name(of user: uid_t) -> String {
    guard let entry = getpwuid(user) else { return String(user) }
    return "\(String(cString: entry.pointee.pw_name)) (\(user))"
  }
}

/// What a path leads to, links not followed; nil where there is nothing, or nothing can be said.
struct FileStatus {
  let type: FileAttributeType
  let user: uid_t
  let permissions: Int

  init?(_ path: String) {
    guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
      let type = attributes[.type] as? FileAttributeType, let user = attributes[.ownerAccountID] as? NSNumber,
      let permissions = attributes[.posixPermissions] as? NSNumber
    else { return nil }
    (self.type, self.user, self.permissions) = (type, user.uint32Value, permissions.intValue)
  }
}

/// A system call on a file that failed, in a sentence.
struct FileFailure: Error, CustomStringConvertible {
  let description: String

  init(_ error: HostError) { description = "Cannot \(error.call): \(error.reason)." }

  /// Reads `errno`, so nothing may come between the call and this.
  static func last(_ verb: String, _ path: String) -> FileFailure { FileFailure(.last("\(verb) \(path)")) }
}
