import Foundation
import PrivateFiles

/// The directory with everything that vpsd keeps on a machine. No other user may enter it.
struct DataDirectory: Sendable {
  let path: String

  init(_ url: URL) {
    path = url.path
  }

  var database: String { path + "/vpsd.sqlite" }
  var token: String { path + "/token" }
  /// The URL of the running service, or of the last one, on this machine: for vpsctl.
  var url: String { path + "/url" }
  /// The key that seals those texts in the database which the service must be able to read again.
  var secretKey: String { path + "/secret.key" }
  var lock: String { path + "/vpsd.lock" }

  struct Unfit: Error, CustomStringConvertible {
    let description: String
  }

  /// Makes the directory where it does not exist.
  func ensureExists() throws {
    do {
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw Unfit(description: "The data directory \(path) cannot be made: \(error.localizedDescription)")
    }
    try requireOurs()
  }

  /// The id of this directory, which is made when it is first asked for. By it a service's own host is told from those of other
  /// machines.
  func id() throws -> UUID {
    let file = path + "/directory.id"
    if let known = try noted(in: file) { return known }
    let id = UUID()
    do { try PrivateFile.write(Array("\(id.uuidString)\n".utf8), to: file) } catch { throw FileFailure(error) }
    return id
  }

  /// The id in a file; nil where there is none.
  func noted(in file: String) throws -> UUID? {
    if access(file, F_OK) != 0, errno == ENOENT { return nil }
    guard let handle = FileHandle(forReadingAtPath: file), let bytes = try handle.read(upToCount: 37),
      let id = UUID(uuidString: String(decoding: bytes.prefix(36), as: UTF8.self))
    else { throw Unfit(description: "\(file) holds no id as it did: put it back as it was.") }
    return id
  }

  /// Throws where the database was moved to a server and nobody has said so to this service: it would begin anew in its place.
  func requireDatabaseNotMoved() throws {
    guard access(database, F_OK) != 0, let moved = try movedDatabases().last else { return }
    throw Unfit(
      description: "The database of \(path) was moved to a server of PostgreSQL: set `database` to it. What it was "
        + "then is in \(moved). A service on that would remove the servers that were made since, with their disks; to "
        + "go back to it for all that, name it vpsd.sqlite again.")
  }

  /// The files that `vpsd migrate-store` has set aside, the oldest one first.
  func movedDatabases() throws -> [String] {
    guard access(path, F_OK) == 0 else { return [] }
    let prefix = "vpsd.sqlite.moved-"
    return try FileManager.default.contentsOfDirectory(atPath: path).filter { name in
      name.hasPrefix(prefix) && name.dropFirst(prefix.count).utf8.allSatisfy { (48...57).contains($0) }
    }.sorted().map { "\(path)/\($0)" }
  }

  /// Throws where another user could replace the database or the lock, or owns the directory, so that the service could not
  /// read what is written here. A missing directory is fine.
  func requireOurs() throws {
    guard access(path, F_OK) == 0 || errno != ENOENT else { return }
    // The directory itself may be a link.
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
      // With a link, two data directories could have the same database but different locks.
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

/// The type, owner and permissions of a path, without following links; nil where nothing exists or it cannot be examined.
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

/// A failed system call on a file, as a sentence.
struct FileFailure: Error, CustomStringConvertible {
  let description: String

  init(_ error: HostError) { description = "Cannot \(error.call): \(error.reason)." }

  /// Reads `errno`, so nothing may come between the call and this.
  static func last(_ verb: String, _ path: String) -> FileFailure { FileFailure(.last("\(verb) \(path)")) }
}
