import Foundation

/// The lock of the one process that serves a data directory. The kernel releases it when the process ends, however it ends; the
/// file contains the process ID, for programs that want to stop the process.
///
/// There are two locks: one of the open file description, which can be queried without being taken, and the one of earlier
/// versions, which keeps them from serving at the same time. A query takes neither.
final class ProcessLock: Sendable {
  struct Held: Error, CustomStringConvertible {
    let description: String
  }

  private let descriptor: CInt

  /// How long to retry: a child process of the last holder has its descriptors for a moment, and a command of an earlier
  /// version takes the lock briefly to query it.
  private static let patience = Duration.milliseconds(100)

  init(path: String) throws {
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw FileFailure.last("open", path) }
    let deadline = ContinuousClock.now + Self.patience
    guard Self.takes(until: deadline, { Self.lock(descriptor, Self.setLock) != nil }),
      Self.takes(until: deadline, { flock(descriptor, LOCK_EX | LOCK_NB) == 0 })
    else {
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

  /// The ID of the process that holds the lock; nil where none does.
  static func holder(path: String) -> pid_t? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    guard let process = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)) else { return nil }
    let isHeld = lock(descriptor, getLock)?.l_type != Int16(F_UNLCK) || isHeldByEarlierVersion(path, process)
    return isHeld ? process : nil
  }

  // fcntl.h defines these only with the GNU extensions, which are not available in Swift.
  private static let getLock: CInt = 36
  private static let setLock: CInt = 37

  /// Nil if the call fails, which for `setLock` means that the lock is taken.
  private static func lock(_ descriptor: CInt, _ command: CInt) -> flock? {
    var lock = flock()
    lock.l_type = Int16(F_WRLCK)
    lock.l_whence = Int16(SEEK_SET)
    return fcntl(descriptor, command, &lock) == 0 ? lock : nil
  }

  private static func takes(until deadline: ContinuousClock.Instant, _ attempt: () -> Bool) -> Bool {
    while !attempt() {
      guard ContinuousClock.now < deadline else { return false }
      poll(nil, 0, 10)
    }
    return true
  }

  /// Looks at the kernel's list, with one line for each lock: `1: FLOCK  ADVISORY  WRITE 2150 fe:01:1048602 0 EOF`.
  private static func isHeldByEarlierVersion(_ path: String, _ process: pid_t) -> Bool {
    guard let file = try? FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int,
      let locks = FileHandle(forReadingAtPath: "/proc/locks")
    else { return false }
    var list = Data()
    // The file has no known length and is read in pieces.
    while let piece = try? locks.read(upToCount: 1 << 16), !piece.isEmpty { list += piece }
    return String(decoding: list, as: UTF8.self).split(separator: "\n").contains { line in
      let words = line.split(separator: " ")
      return words.count > 5 && words[1] == "FLOCK" && words[4] == "\(process)" && words[5].hasSuffix(":\(file)")
    }
  }
}
