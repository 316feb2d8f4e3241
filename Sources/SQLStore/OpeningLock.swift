import Foundation

/// Processes that are started at the same moment open the database one after the other. SQLite alone does not do it: whoever
/// is second at making a new file's log is told that it is locked, without the wait that holds elsewhere.
///
/// It is a lock of the folder: one of the file would meet SQLite's own, and one more file would be left lying about.
struct OpeningLock {
  private let folder: CInt

  init(_ path: String) throws {
    folder = open((path as NSString).deletingLastPathComponent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0, flock(folder, LOCK_EX) == 0 else {
      let reason = String(cString: strerror(errno))
      if folder >= 0 { close(folder) }
      throw UnusableFile(path: path, reason: reason)
    }
  }

  func release() {
    close(folder)
  }
}
