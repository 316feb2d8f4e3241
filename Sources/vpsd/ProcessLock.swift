import Foundation

/// Held by the one process that serves a data directory. The kernel lets go of it when the process ends, however it ends;
/// the file holds the process's number, for whoever wants to stop it.
///
/// It is two locks. Only the first, of the open file description, can be asked about without being taken; the second is the
/// one that earlier versions know, which keeps one of them from serving beside this one.
final class ProcessLock: Sendable {
  struct Held: Error, CustomStringConvertible {
    let description: String
  }

  private let descriptor: CInt

  /// To see whether anybody has the second lock, a command takes it for a moment.
  private static let patience = Duration.seconds(1)

  init(path: String) throws {
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw FileFailure.last("open", path) }
    guard Self.lock(descriptor, Self.setLock) != nil, Self.lockAsEarlierVersions(descriptor) else {
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
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    guard lock(descriptor, getLock)?.l_type != Int16(F_UNLCK) || isHeldByEarlierVersion(descriptor) else { return nil }
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    return pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines))
  }

  // fcntl.h shows these to programs that ask for GNU extensions only, which a Swift program cannot.
  private static let getLock: CInt = 36
  private static let setLock: CInt = 37

  /// Nil where it fails: to set it, because it is taken.
  private static func lock(_ descriptor: CInt, _ command: CInt) -> flock? {
    var lock = flock()
    lock.l_type = Int16(F_WRLCK)
    lock.l_whence = Int16(SEEK_SET)
    return fcntl(descriptor, command, &lock) == 0 ? lock : nil
  }

  private static func lockAsEarlierVersions(_ descriptor: CInt) -> Bool {
    let deadline = ContinuousClock.now + patience
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      guard ContinuousClock.now < deadline else { return false }
      poll(nil, 0, 10)
    }
    return true
  }

  private static func isHeldByEarlierVersion(_ descriptor: CInt) -> Bool { flock(descriptor, LOCK_SH | LOCK_NB) != 0 }
}
