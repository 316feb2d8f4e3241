import FoundationEssentials
import Glibc
import PrivateFiles

/// Files that only their owner may read.
enum SecretFile {
  static func read(_ path: String) throws -> String? {
    guard access(path, F_OK) == 0 else { return nil }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw Refusal(.failed, "\(path) cannot be read: \(String(cString: strerror(errno))).")
    }
    guard data.count <= 1 << 20 else { throw Refusal(.failed, "\(path) is too long.") }
    guard let text = String(validating: data, as: UTF8.self) else {
      throw Refusal(.refused, "\(path) is no text in UTF-8.")
    }
    return text
  }

  /// Refuses a secret that others may read.
  static func readSecret(_ path: String) throws -> String? {
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & 0o077 != 0 {
      throw Refusal(.refused, "Others may read \(path), and there is a token in it: chmod 600 \(path)")
    }
    return try read(path)
  }

  /// Whether the file, and the link that leads to it, belong to the user of this process.
  static func isOwn(_ path: String) -> Bool {
    var (link, file) = (stat(), stat())
    return lstat(path, &link) == 0 && stat(path, &file) == 0 && link.st_uid == geteuid() && file.st_uid == geteuid()
  }

  /// Writes the whole file, replacing an earlier one, or nothing.
  static func write(_ text: String, to path: String, permissions: mode_t = 0o600) throws {
    let folder = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    var made = path.hasPrefix("/") ? "" : "."
    for part in folder.split(separator: "/") {
      made += "/" + part
      guard mkdir(made, 0o700) == 0 || errno == EEXIST else {
        throw Refusal(.failed, "Cannot make \(made): \(String(cString: strerror(errno))).")
      }
    }
    do {
      try PrivateFile.write(text.utf8, to: path, permissions: permissions, draft: ".\(getpid())")
    } catch {
      throw Refusal(.failed, "Cannot write \(path): \(error.reason).")
    }
  }
}
