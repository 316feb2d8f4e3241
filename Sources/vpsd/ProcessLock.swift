import Foundation

/// Held by the one process that serves a data directory. The kernel lets go of it when the process ends, however it ends;
/// the file holds the process's number, for whoever wants to stop it.
///
/// It is two locks: one of the open file description, which can be asked about without being taken, and the one that earlier
/// versions know, which keeps one of them from serving beside this one. Who looks takes neither.
final class ProcessLock: Sendable {
  struct Held: Error, CustomStringConvertible {
    let description: String
  }

  private let descriptor: CInt

  /// A process that was started by the last holder has its descriptors for a moment, and a command of an earlier version takes
  /// the lock to see whether anybody has it.
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

  /// The process that holds the lock, or nil where nobody does.
  static func holder(path: String) -> pid_t? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    guard let process = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)) else { return nil }
    let isHeld = lock(descriptor, getLock)?.l_type != Int16(F_UNLCK) || isHeldByEarlierVersion(path, process)
    return isHeld ? process : nil
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

  private static func takes(until deadline: ContinuousClock.Instant, _ attempt: () -> Bool) -> Bool {
    while !attempt() {
      guard ContinuousClock.now < deadline else { return false }
      poll(nil, 0, 10)
    }
    return true
  }

  /// By the kernel's list, a line a lock: `1: FLOCK  ADVISORY  WRITE 2150 fe:01:1048602 0 EOF`.
  private static func isHeldByEarlierVersion(_ path: String, _ process: pid_t) -> Bool {
    guard let file = try? FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int,
      let locks = FileHandle(forReadingAtPath: "/proc/locks")
    else { return false }
    var list = Data()
    // The kernel gives it in pieces, and knows no length.
    while let piece = try? locks.read(upToCount: 1 << 16), !piece.isEmpty { list += piece }
    return String(decoding: list, as: UTF8.self).split(separator: "\n").contains { line in
      let words = line.split(separator: " ")
      return words.count > 5 && words[1] == "FLOCK" && words[4] == "\(process)" && words[5].hasSuffix(":\(file)")
    }
  }
}
