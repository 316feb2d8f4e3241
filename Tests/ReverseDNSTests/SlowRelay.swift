import Foundation
import Synchronization

/// Passes what comes by UDP on to a server at the loopback, one question after the other, and lets each answer wait.
final class SlowRelay: Sendable {
  struct CannotStart: Error {}

  let port: UInt16
  private let outside: CInt
  private let inside: CInt
  private let delayMicroseconds: UInt32
  private let state = Mutex((isOver: false, count: 0))

  init(to server: UInt16, delayMicroseconds: UInt32) throws {
    let outside = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    let inside = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    var target = SlowRelay.loopback(server)
    let isConnected = SlowRelay.withPointer(to: &target) { connect(inside, $0, size) == 0 }
    var address = SlowRelay.loopback(0)
    let isBound = SlowRelay.withPointer(to: &address) { pointer in
      bind(outside, pointer, size) == 0 && getsockname(outside, pointer, &size) == 0
    }
    guard isConnected, isBound else { throw CannotStart() }
    (self.outside, self.inside, self.delayMicroseconds) = (outside, inside, delayMicroseconds)
    port = UInt16(bigEndian: address.sin_port)
    Thread.detachNewThread { self.run() }
  }

  /// How many answers have been let through.
  var count: Int { state.withLock { $0.count } }

  func end() { state.withLock { $0.isOver = true } }

  private func run() {
    var message = [UInt8](repeating: 0, count: 1 << 16)
    while !state.withLock({ $0.isOver }) {
      guard Self.isReadable(outside, withinMilliseconds: 20) else { continue }
      var client = sockaddr_in()
      var size = socklen_t(MemoryLayout<sockaddr_in>.size)
      let asked = Self.withPointer(to: &client) { recvfrom(outside, &message, 1 << 16, 0, $0, &size) }
      guard asked > 0, send(inside, message, asked, 0) == asked else { continue }
      let id = message[0..<2]
      // An answer that came too late is the next one that is read.
      var answered = 0
      repeat {
        guard Self.isReadable(inside, withinMilliseconds: 10_000) else { break }
        answered = recv(inside, &message, 1 << 16, 0)
      } while answered > 0 && message[0..<2] != id
      guard answered > 0, message[0..<2] == id else { continue }
      usleep(delayMicroseconds)
      state.withLock { $0.count += 1 }
      _ = Self.withPointer(to: &client) { sendto(outside, message, answered, 0, $0, size) }
    }
    close(outside)
    close(inside)
  }

  private static func loopback(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
  }

  private static func withPointer<Value>(
    to address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>) -> Value
  ) -> Value {
    withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1, body)
    }
  }

  private static func isReadable(_ descriptor: CInt, withinMilliseconds limit: CInt) -> Bool {
    var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&entry, 1, limit) == 1
  }
}
