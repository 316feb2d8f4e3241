package import Core
import Foundation

/// The part of a VNC client that tests need, on any stream of bytes.
package struct RFBClient {
  package struct Ended: Error {
    package init() {}
  }

  package struct Unexpected: Error, CustomStringConvertible {
    package let description: String
  }

  package struct Screen: Equatable {
    package let width: Int
    package let height: Int
    package let name: String

    package init(width: Int, height: Int, name: String) {
      self.width = width
      self.height = height
      self.name = name
    }
  }

  private let read: (Int) async throws -> [UInt8]
  private let write: ([UInt8]) async throws -> Void

  /// - Parameter read: Returns exactly so many bytes, or throws `Ended` where no more come.
  package init(read: @escaping (Int) async throws -> [UInt8], write: @escaping ([UInt8]) async throws -> Void) {
    self.read = read
    self.write = write
  }

  package init(_ connection: ConsoleConnection) {
    let socket = BlockingSocket(taking: connection)
    self.init(read: socket.read, write: socket.write)
  }

  /// Performs the handshake, up to the size of the screen.
  package func shakeHands() async throws -> Screen {
    let version = try await read(12)
    guard String(decoding: version, as: UTF8.self) == "RFB 003.008\n" else {
      throw Unexpected(description: "The server began with \(version).")
    }
    try await write(version)
    let securityTypes = try await read(Int(try await read(1)[0]))
    guard securityTypes.contains(1) else { throw Unexpected(description: "Security types: \(securityTypes)") }
    try await write([1])
    guard try await read(4) == [0, 0, 0, 0] else { throw Unexpected(description: "The server refused.") }
    // Other clients may stay connected.
    try await write([1])
    let head = try await read(24)
    let name = try await read(Self.number(head[20...]))
    return Screen(
      width: Self.number(head[0..<2]), height: Self.number(head[2..<4]), name: String(decoding: name, as: UTF8.self))
  }

  /// The pixels of the first update for the whole screen, four bytes each.
  package func requestPicture(of screen: Screen) async throws -> [UInt8] {
    let size = [screen.width >> 8, screen.width & 255, screen.height >> 8, screen.height & 255].map { UInt8($0) }
    // Sets the byte order of pixels, and asks for raw rectangles only.
    try await write([0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0])
    try await write([2, 0, 0, 1, 0, 0, 0, 0])
    try await write([3, 0, 0, 0, 0, 0] + size)
    let head = try await read(4)
    guard head[0] == 0 else { throw Unexpected(description: "The server sent a message \(head[0]).") }
    var pixels: [UInt8] = []
    for _ in 0..<Self.number(head[2...]) {
      let rectangle = try await read(12)
      pixels += try await read(Self.number(rectangle[4..<6]) * Self.number(rectangle[6..<8]) * 4)
    }
    return pixels
  }

  /// Presses and releases the key of each character, on a US keyboard.
  package func type(_ text: String) async throws {
    for character in text {
      let code: UInt8 = character == "\n" ? 0x0D : character.asciiValue ?? 0
      // Keysyms of keys without a character begin with 0xFF.
      let keysym: [UInt8] = character == "\n" ? [0xFF, code] : [0, code]
      let isShifted = character.isUppercase || "~!@#$%^&*()_+{}|:\"<>?".contains(character)
      if isShifted { try await press([0xFF, 0xE1], isDown: true) }
      for isDown in [true, false] { try await press(keysym, isDown: isDown) }
      if isShifted { try await press([0xFF, 0xE1], isDown: false) }
    }
  }

  private func press(_ keysym: [UInt8], isDown: Bool) async throws {
    try await write([4, isDown ? 1 : 0, 0, 0, 0, 0] + keysym)
  }

  /// Reads until the server has ended the connection.
  package func awaitEnd() async throws {
    do {
      while true { _ = try await read(1) }
    } catch is Ended {}
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }
}

/// A connected socket whose calls block for at most a minute, on threads of their own.
package final class BlockingSocket: Sendable {
  private let descriptor: Int32

  init(taking connection: ConsoleConnection) {
    descriptor = connection.take() ?? -1
    limitTimes()
  }

  /// - Parameter isIPv6: Whether to connect to ::1 instead of 127.0.0.1.
  package init(port: Int, isIPv6: Bool = false) throws {
    descriptor = socket(isIPv6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let result: Int32
    if isIPv6 {
      var address = sockaddr_in6()
      address.sin6_family = sa_family_t(AF_INET6)
      address.sin6_port = in_port_t(port).bigEndian
      inet_pton(AF_INET6, "::1", &address.sin6_addr)
      result = Self.connect(descriptor, to: &address)
    } else {
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = in_port_t(port).bigEndian
      address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
      result = Self.connect(descriptor, to: &address)
    }
    guard result == 0 else { throw RFBClient.Unexpected(description: "Nothing listens on port \(port).") }
    limitTimes()
  }

  private static func connect<Address>(_ descriptor: Int32, to address: inout Address) -> Int32 {
    withUnsafeBytes(of: &address) {
      Foundation.connect(
        descriptor, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
    }
  }

  deinit { close(descriptor) }

  private func limitTimes() {
    var limit = timeval(tv_sec: 60, tv_usec: 0)
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
      setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
    }
  }

  package func read(_ count: Int) async throws -> [UInt8] { try await onOwnThread { try self.readNow(count) } }

  /// Everything that is received until the other side closes.
  package func readToEnd() async throws -> [UInt8] { try await onOwnThread { try self.readAllNow() } }

  package func write(_ bytes: [UInt8]) async throws { try await onOwnThread { try self.writeNow(bytes) } }

  /// Closes the sending direction; receiving continues.
  package func finishWriting() { shutdown(descriptor, Int32(SHUT_WR)) }

  private func readNow(_ count: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let read = bytes.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress! + filled, count - filled, 0) }
      if read < 0, errno == EINTR { continue }
      if read < 0, errno == EAGAIN { throw RFBClient.Unexpected(description: "Nothing came within a minute.") }
      guard read > 0 else { throw RFBClient.Ended() }
      filled += read
    }
    return bytes
  }

  private func readAllNow() throws -> [UInt8] {
    var all: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 65_536)
    while true {
      let read = recv(descriptor, &part, part.count, 0)
      if read < 0, errno == EINTR { continue }
      if read < 0, errno == EAGAIN { throw RFBClient.Unexpected(description: "The end did not come within a minute.") }
      guard read > 0 else { return all }
      all += part.prefix(read)
    }
  }

  private func writeNow(_ bytes: [UInt8]) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard written > 0 else { throw RFBClient.Ended() }
      rest = rest.dropFirst(written)
    }
  }
}
