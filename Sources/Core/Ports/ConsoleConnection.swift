import Foundation
import Synchronization

/// A connected stream socket that speaks RFB (RFC 6143), the protocol of VNC, from its first byte on. It is closed with this
/// value, unless somebody took it before.
package final class ConsoleConnection: Sendable {
  private let descriptor: Mutex<Int32?>

  /// Takes over the descriptor.
  package init(descriptor: Int32) {
    self.descriptor = Mutex(descriptor)
  }

  deinit {
    if let descriptor = take() { close(descriptor) }
  }

  /// Hands over the descriptor to whoever closes it from now on; nil where that was done before.
  package func take() -> Int32? {
    descriptor.withLock { descriptor in
      defer { descriptor = nil }
      return descriptor
    }
  }
}
