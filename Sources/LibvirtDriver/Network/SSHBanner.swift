import Core
import Foundation
import HostPrograms

/// Whether an SSH server sends its greeting. An accepted connection proves nothing: QEMU accepts for a guest that does not
/// listen yet, and retries the guest less and less often. So new connections are opened beside those that wait, and the first
/// greeting decides. Blocks: only for `BlockingThreads`.
enum SSHBanner {
  /// The most connections that wait at once. With ten that have not logged in, an sshd begins to refuse others, such as the
  /// customer's, who connects as soon as the server is active. A refused connection is closed at once: the guest boots, but
  /// does not listen yet.
  private static let mostAttempts = 4
  private static let greeting = Array("SSH-".utf8)

  private struct Attempt {
    let descriptor: Int32
    var received: [UInt8] = []
  }

  static func isSent(by address: IPv4Address, port: UInt16, within limit: Duration) -> Bool {
    let deadline = ContinuousClock.now + limit
    let interval = limit / mostAttempts
    var attempts: [Attempt] = []
    defer { for attempt in attempts { close(attempt.descriptor) } }
    while deadline.remainingMilliseconds != nil {
      if let descriptor = connection(to: address, port: port) { attempts.append(Attempt(descriptor: descriptor)) }
      let next = min(deadline, ContinuousClock.now + interval)
      while let remaining = next.remainingMilliseconds {
        for index in readable(attempts, withinMilliseconds: remaining).reversed() {
          switch receive(&attempts[index]) {
          case true?: return true
          case false?: close(attempts.remove(at: index).descriptor)
          case nil: continue
          }
        }
      }
    }
    return false
  }

  /// Nil where the connection is refused at once.
  private static func connection(to address: IPv4Address, port: UInt16) -> Int32? {
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
    let descriptor = socket(AF_INET, type, 0)
    guard descriptor >= 0 else { return nil }
    let result = ForwardedPorts.withSocketAddress(address, port: port) { connect(descriptor, $0, $1) }
    guard result == 0 || errno == EINPROGRESS else {
      close(descriptor)
      return nil
    }
    return descriptor
  }

  private static func readable(_ attempts: [Attempt], withinMilliseconds limit: Int32) -> [Int] {
    var descriptors = attempts.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
    guard poll(&descriptors, nfds_t(descriptors.count), limit) > 0 else { return [] }
    return descriptors.indices.filter { descriptors[$0].revents != 0 }
  }

  /// True once the greeting has arrived, false where it never will on this connection, nil while more bytes are needed.
  private static func receive(_ attempt: inout Attempt) -> Bool? {
    var buffer = [UInt8](repeating: 0, count: 64)
    let count = recv(attempt.descriptor, &buffer, buffer.count, 0)
    if count < 0, errno == EAGAIN || errno == EINTR { return nil }
    guard count > 0 else { return false }
    attempt.received += buffer.prefix(count)
    guard greeting.starts(with: attempt.received.prefix(greeting.count)) else { return false }
    return attempt.received.count >= greeting.count ? true : nil
  }
}
