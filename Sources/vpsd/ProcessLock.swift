import Foundation

/// Held by the one process that serves a data directory. The kernel lets go of it when the process ends, however it ends;
/// the file holds the process's number, for whoever wants to stop it.
final class ProcessLock: Sendable {
  struct Held: Error, CustomStringConvertible {
    let description: String
  }

  private let descriptor: CInt

  init(path: String) throws {
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw Held(description: "Another vpsd serves this data directory already (\(path)).")
    }
    ftruncate(descriptor, 0)
    let number = "\(getpid())\n"
    _ = number.withCString { write(descriptor, $0, strlen($0)) }
  }

  deinit {
    close(descriptor)
  }

  /// The process that holds the lock, or nil where nobody does.
  static func holder(path: String) -> pid_t? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    if flock(descriptor, LOCK_SH | LOCK_NB) == 0 { return nil }
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    return pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines))
  }
}
