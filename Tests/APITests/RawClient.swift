import Foundation
import Synchronization

/// A client that speaks byte by byte, and never waits in the kernel.
final class RawClient: Sendable {
  private let descriptor: Int32
  private let state = Mutex((text: "", isClosed: false))

  struct CannotConnect: Error {}

  /// - Parameter host: The last number of its own address, 127.0.0.1 unless it is to be another one of this host.
  init(port: Int, host: UInt32 = 1) async throws {
    descriptor = socket(
      AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
    // Who throws here has all there is to an object: it is closed by `deinit`.
    guard Self.call(bind, descriptor, 0x7F00_0000 + host, port: 0) == 0, try await connects(to: port) else {
      throw CannotConnect()
    }
  }

  static func several(_ count: Int, port: Int, host: UInt32 = 1) async throws -> [RawClient] {
    var clients: [RawClient] = []
    for _ in 0..<count { clients.append(try await RawClient(port: port, host: host)) }
    return clients
  }

  /// Whether the server takes the connection. One that has no place for it in its queue is asked again by the kernel, after a
  /// second and more: it is a task of this process, and may wait for the thread that would wait here.
  private func connects(to port: Int) async throws -> Bool {
    if Self.call(connect, descriptor, 0x7F00_0001, port: port) == 0 { return true }
    guard errno == EINPROGRESS else { return false }
    var descriptors = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    while poll(&descriptors, 1, 0) < 1 { try await Task.sleep(for: .milliseconds(5)) }
    return descriptors.revents & Int16(POLLHUP | POLLERR) == 0
  }

  private static func call(
    _ function: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32, _ descriptor: Int32, _ host: UInt32, port: Int
  ) -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(host).bigEndian
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        function(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }

  deinit { Foundation.close(descriptor) }

  func close() { shutdown(descriptor, Int32(SHUT_RDWR)) }

  /// Says that it will say no more.
  func closeInput() { shutdown(descriptor, Int32(SHUT_WR)) }

  var received: String { state.withLock { $0.text } }

  /// All that the server says until it closes; nil where it does not in time.
  func receiveAll(withinSeconds limit: Int = 90) async -> String? {
    _ = await receive(until: "\0", withinSeconds: limit)
    return isClosed ? received : nil
  }

  /// Whether the server closes the connection, whatever it says before.
  func ends(withinSeconds limit: Int = 90) async -> Bool { await receiveAll(withinSeconds: limit) != nil }

  var isClosed: Bool { state.withLock { $0.isClosed } }

  /// How many bytes the kernel has taken.
  @discardableResult func send(_ text: String) -> Int {
    let bytes = Array(text.utf8)
    let count = Foundation.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    if count < 0, errno != EAGAIN { state.withLock { $0.isClosed = true } }
    return max(count, 0)
  }

  /// Takes what has come.
  private func look() {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = recv(descriptor, &buffer, buffer.count, 0)
    state.withLock { state in
      if count > 0 { state.text += String(decoding: buffer.prefix(count), as: UTF8.self) }
      if count == 0 || (count < 0 && errno != EAGAIN) { state.isClosed = true }
    }
  }

  func receive(until text: String, withinSeconds limit: Int = 90) async -> Bool {
    let deadline = ContinuousClock.now + .seconds(limit)
    while ContinuousClock.now < deadline {
      let wasClosed = isClosed
      look()
      if state.withLock({ $0.text.contains(text) }) { return true }
      if wasClosed { return false }
      try? await Task.sleep(for: .milliseconds(10))
    }
    return false
  }

  /// Sends a text again and again, and reads nothing; returns whether the server comes to close the connection.
  func dripUntilClosed(_ text: String) async -> Bool {
    let deadline = ContinuousClock.now + .seconds(90)
    while ContinuousClock.now < deadline {
      send(text)
      if isClosed || hasEnded { return true }
      try? await Task.sleep(for: .milliseconds(20))
    }
    return false
  }

  /// Whether the other side has closed, told without taking anything from the buffer.
  var hasEnded: Bool {
    var descriptors = pollfd(fd: descriptor, events: 0, revents: 0)
    if poll(&descriptors, 1, 0) > 0, descriptors.revents & Int16(POLLHUP | POLLERR) != 0 { return true }
    var byte: UInt8 = 0
    return recv(descriptor, &byte, 1, Int32(MSG_PEEK)) == 0
  }
}
