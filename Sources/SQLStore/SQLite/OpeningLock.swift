import Foundation

/// Makes processes that are started at the same moment open the database one after the other. SQLite alone does not do it: the
/// second one to make a new file's log gets an error at once, without the wait for a lock.
///
/// It locks the folder: a lock of the file would interfere with SQLite's own, and a lock file would be left behind.
struct OpeningLock {
  private let folder: CInt

  init(_ path: String) throws {
    folder = open((path as NSString).deletingLastPathComponent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { throw UnusableFile(path: path, reason: String(cString: strerror(errno))) }
    let deadline = ContinuousClock.now + Self.limit
    while flock(folder, LOCK_EX | LOCK_NB) != 0 {
      guard errno == EWOULDBLOCK || errno == EINTR, ContinuousClock.now < deadline else {
        let reason = errno == EWOULDBLOCK ? "another process is opening it" : String(cString: strerror(errno))
        close(folder)
        throw UnusableFile(path: path, reason: reason)
      }
      poll(nil, 0, 5)
    }
  }

  /// Long enough for a process that brings an old database up to date; a process that was stopped keeps the lock for ever.
  private static let limit = Duration.seconds(60)

  func release() {
    close(folder)
  }
}
