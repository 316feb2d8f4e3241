import Core
import Foundation
import Synchronization

/// Serves the screens of simulated machines, each connection on a thread of its own.
final class SimulatedConsoles: Sendable {
  private static let maximumCount = 64

  private let count = Mutex(0)

  func open(of screen: SimulatedScreen) throws(DriverError) -> ConsoleConnection {
    let hasRoom = count.withLock { count in
      guard count < Self.maximumCount else { return false }
      count += 1
      return true
    }
    guard hasRoom else { throw DriverError(.exhausted, "\(Self.maximumCount) consoles are open.") }
    var ends: [Int32] = [-1, -1]
    guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
      let reason = String(cString: strerror(errno))
      count.withLock { $0 -= 1 }
      throw DriverError(.exhausted, "Cannot make a pair of sockets: \(reason)")
    }
    let stream = RFBStream(descriptor: ends[0], isWanted: screen.isOn)
    Thread.detachNewThread { [self] in
      defer { count.withLock { $0 -= 1 } }
      // The error is of no use: the other end sees that the connection is closed.
      try? screen.serve(stream)
      stream.end()
    }
    return ConsoleConnection(descriptor: ends[1])
  }
}

/// Blocking reads and writes that end when nobody wants the stream any more.
struct RFBStream: Sendable {
  struct Ended: Error {}

  /// How often to check whether the stream is still wanted.
  private static let patienceMilliseconds: Int32 = 100

  private let descriptor: Int32
  private let isWanted: @Sendable () -> Bool

  init(descriptor: Int32, isWanted: @escaping @Sendable () -> Bool) {
    self.descriptor = descriptor
    self.isWanted = isWanted
  }

  func end() { close(descriptor) }

  func read(_ count: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      try wait(for: POLLIN)
      let read = bytes.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress! + filled, count - filled, 0) }
      if read < 0, errno == EINTR || errno == EAGAIN { continue }
      guard read > 0 else { throw Ended() }
      filled += read
    }
    return bytes
  }

  func write(_ bytes: [UInt8]) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      try wait(for: POLLOUT)
      let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
      let written = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, flags) }
      if written < 0, errno == EINTR || errno == EAGAIN { continue }
      guard written > 0 else { throw Ended() }
      rest = rest.dropFirst(written)
    }
  }

  private func wait(for events: Int32) throws {
    while isWanted() {
      var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
      if poll(&entry, 1, Self.patienceMilliseconds) != 0 { return }
    }
    throw Ended()
  }
}
