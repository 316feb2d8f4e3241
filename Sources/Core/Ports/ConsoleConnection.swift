import Foundation
import Synchronization

/// A connected stream socket that speaks RFB (RFC 6143), the protocol of VNC, from its first byte on. It is closed when
/// this object is released, unless `take` was called before.
package final class ConsoleConnection: Sendable {
  private let descriptor: Mutex<Int32?>

  /// Takes ownership of the descriptor.
  package init(descriptor: Int32) {
    self.descriptor = Mutex(descriptor)
  }

  deinit {
    if let descriptor = take() { close(descriptor) }
  }

  /// Transfers ownership of the descriptor to the caller, who must close it; nil if it was taken before.
  package func take() -> Int32? {
    descriptor.withLock { descriptor in
      defer { descriptor = nil }
      return descriptor
    }
  }
}
