import Foundation

/// Processes that are started at the same moment open the database one after the other. SQLite alone does not do it: whoever
/// is second at making a new file's log is told that it is locked, without the wait that holds elsewhere.
///
/// It is a lock of the folder: one of the file would meet SQLite's own, and one more file would be left lying about.
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

  /// A process that brings an old database up to date takes a while; one that was stopped in the middle never ends.
  private static let limit = Duration.seconds(60)

  func release() {
    close(folder)
  }
}
