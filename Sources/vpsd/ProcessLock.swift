import Foundation

/// The lock of the one process that works on a data directory: the service, or a command that must not run beside it. The kernel
/// releases it when the process ends, however it ends; the file contains the process ID, for programs that want to stop the
/// process, and what it is at.
///
/// There are two locks: one of the open file description, which can be queried without being taken, and the one of earlier
/// versions, which keeps them from serving at the same time. A query takes neither.
final class ProcessLock: Sendable {
  struct Held: Error, CustomStringConvertible {
    let description: String
  }

  /// Who has the lock.
  struct Holder: Equatable, CustomStringConvertible {
    let process: pid_t
    /// The name of the command.
    let work: String

    var isService: Bool { work == ProcessLock.service }
    var description: String { "`vpsd \(work)` (process \(process))" }
  }

  static let service = "serve"

  private let descriptor: CInt

  /// - Parameters:
  ///   - work: The name of the command that takes it.
  ///   - patience: How long to retry: a child process of the last holder has its descriptors until it becomes another program,
  ///     and a command of an earlier version takes the lock briefly to query it.
  init(path: String, for work: String = ProcessLock.service, patience: Duration = .seconds(2)) throws {
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw FileFailure.last("open", path) }
    let deadline = ContinuousClock.now + patience
    guard Self.takes(until: deadline, { Self.lock(descriptor, Self.setLock) != nil }),
      Self.takes(until: deadline, { flock(descriptor, LOCK_EX | LOCK_NB) == 0 })
    else {
      close(descriptor)
      let holder = Self.holder(path: path)
      throw Held(
        description: holder?.isService == false
          ? "\(holder.map(\.description) ?? "A command") is at work on this data directory (\(path)): wait for its end."
          : "Another vpsd serves this data directory already (\(path)).")
    }
    ftruncate(descriptor, 0)
    let words = "\(getpid()) \(work)\n"
    _ = words.withCString { write(descriptor, $0, strlen($0)) }
  }

  deinit {
    close(descriptor)
  }

  /// Whether a service runs.
  static func isServed(path: String) -> Bool { holder(path: path)?.isService == true }

  /// Nil where nobody holds the lock.
  static func holder(path: String) -> Holder? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    let words = text.split { $0 == " " || $0 == "\n" }
    guard let process = words.first.flatMap({ pid_t($0) }) else { return nil }
    let isHeld = lock(descriptor, getLock)?.l_type != Int16(F_UNLCK) || isHeldByEarlierVersion(path, process)
    // Earlier versions do not say what they are at.
    return isHeld ? Holder(process: process, work: words.dropFirst().first.map(String.init) ?? service) : nil
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
