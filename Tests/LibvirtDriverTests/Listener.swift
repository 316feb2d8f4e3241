import Core
import Foundation
import PrivateFiles

@testable import LibvirtDriver

/// A TCP listener that accepts whoever comes and, if asked, greets; it never reads.
final class Listener: Sendable {
  let address: IPv4Address
  let port: UInt16
  private let descriptor: Int32

  /// Port 0 takes any.
  init(address: IPv4Address, port: UInt16 = 0) throws {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw HostError.last("socket") }
    // Connections that a machine has closed linger on its port for a minute, and hold it against nobody who says this.
    var reuse: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
    guard ForwardedPorts.withSocketAddress(address, port: port, { bind(descriptor, $0, $1) }) == 0,
      listen(descriptor, 8) == 0
    else {
      let error = HostError.last("listen")
      Foundation.close(descriptor)
      throw error
    }
    var bound = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &bound) { pointer in
      _ = pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
    }
    self.address = address
    self.port = UInt16(bigEndian: bound.sin_port)
    self.descriptor = descriptor
  }

  /// Accepts one connection and sends the pieces to it, each in a packet of its own, then closes it. Those before it are
  /// accepted and hear nothing.
  func serve(_ pieces: [String], afterSilent silentCount: Int = 0) {
    let isWaiting = DispatchSemaphore(value: 0)
    // Whoever connects next may count how long it takes.
    defer { isWaiting.wait() }
    Thread.detachNewThread { [descriptor] in
      isWaiting.signal()
      let silent = (0..<silentCount).map { _ in accept(descriptor, nil, nil) }
      defer { for client in silent { Foundation.close(client) } }
      let client = accept(descriptor, nil, nil)
      var enabled: Int32 = 1
      setsockopt(client, Int32(IPPROTO_TCP), TCP_NODELAY, &enabled, socklen_t(MemoryLayout<Int32>.size))
      for piece in pieces { send(client, piece, piece.utf8.count, Int32(MSG_NOSIGNAL)) }
      Foundation.close(client)
    }
  }

  /// How many have connected that nobody has accepted yet.
  func waitingCount() -> Int {
    var count = 0
    var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    while poll(&waiting, 1, 0) > 0 {
      Foundation.close(accept(descriptor, nil, nil))
      count += 1
    }
    return count
  }

  func close() { Foundation.close(descriptor) }
}

/// A socket that listens at the path and accepts nobody.
func listen(at path: String) throws -> Int32 {
  let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
  guard descriptor >= 0 else { throw HostError.last("socket") }
  var address = sockaddr_un()
  address.sun_family = sa_family_t(AF_UNIX)
  withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
  let isBound = withUnsafePointer(to: &address) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
    }
  }
  guard isBound, listen(descriptor, 8) == 0 else {
    let error = HostError.last("listen at \(path)")
    close(descriptor)
    throw error
  }
  return descriptor
}
