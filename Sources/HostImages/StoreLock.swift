import Foundation
import PrivateFiles

/// Held while the versions in the store are changed; images/build uses the same lock.
final class StoreLock {
  private let descriptor: Int32

  /// Waits until the lock is free.
  init(_ store: ImageStore) throws {
    let path = "\(store.directory)/.lock"
    descriptor = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw HostError.last("open \(path)") }
    while flock(descriptor, LOCK_EX) != 0 {
      guard errno == EINTR else { throw HostError.last("lock \(path)") }
    }
  }

  deinit { close(descriptor) }
}
