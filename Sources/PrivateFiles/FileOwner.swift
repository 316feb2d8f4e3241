import Glibc

/// The owner of a file, and the user and group of programs that read and write it.
package struct FileOwner: Sendable, Equatable {
  package let user: UInt32
  package let group: UInt32

  package static let root = FileOwner(user: 0, group: 0)

  package init(user: UInt32, group: UInt32) {
    self.user = user
    self.group = group
  }

  package init(of path: String) throws {
    var status = stat()
    guard lstat(path, &status) == 0 else { throw HostError.last("look at \(path)") }
    self.init(user: status.st_uid, group: status.st_gid)
  }

  /// Changes the owner of the file, and leaves its permissions as they are.
  package func take(_ path: String) throws {
    guard lchown(path, user, group) == 0 else { throw HostError.last("chown \(path)") }
  }

  /// Lets the group's programs pass through a folder without listing it.
  package func letThrough(_ folder: String) throws {
    var status = stat()
    guard stat(folder, &status) == 0 else { throw HostError.last("look at \(folder)") }
    if self == .root || status.st_mode & 0o001 != 0 { return }
    guard chown(folder, status.st_uid, group) == 0, chmod(folder, status.st_mode & 0o700 | 0o010) == 0 else {
      throw HostError.last("open \(folder)")
    }
  }
}
