import Core
import Foundation

/// Whether an SSH server greets us. A connection that is accepted proves nothing: QEMU accepts for a guest that does not
/// listen yet. Blocks: only for `BlockingThreads`.
enum SSHBanner {
  static func isSent(by address: IPv4Address, port: UInt16, within limit: Duration) -> Bool {
    let deadline = ContinuousClock.now + limit
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
    let descriptor = socket(AF_INET, type, 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    let result = ForwardedPorts.withSocketAddress(address, port: port) { connect(descriptor, $0, $1) }
    guard result == 0 || errno == EINPROGRESS else { return false }

    let greeting = Array("SSH-".utf8)
    var received: [UInt8] = []
    while received.count < greeting.count {
      guard isReadable(descriptor, until: deadline) else { return false }
      var buffer = [UInt8](repeating: 0, count: 64)
      let count = recv(descriptor, &buffer, buffer.count, 0)
      if count < 0, errno == EAGAIN || errno == EINTR { continue }
      guard count > 0 else { return false }
      received += buffer.prefix(count)
    }
    return received.starts(with: greeting)
  }

  private static func isReadable(_ descriptor: Int32, until deadline: ContinuousClock.Instant) -> Bool {
    while let remaining = deadline.remainingMilliseconds {
      var descriptors = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      if poll(&descriptors, 1, remaining) > 0 { return true }
    }
    return false
  }
}
