import Foundation

/// The part of a WebSocket client (RFC 6455) that tests need, for a port of this host.
package final class WebSocketClient {
  /// The status of the answer to the handshake: 101 if the connection is open.
  package let status: Int
  /// Names are in lower case.
  package let headers: [String: String]
  /// The body of an answer that does not open a WebSocket.
  package let body: String
  /// The code with which the server closed.
  package private(set) var closeCode: Int?

  private let socket: BlockingSocket
  private var received: [UInt8] = []

  package init(
    port: Int, isIPv6: Bool = false, path: String = "/console/websocket", protocols: String?,
    headers: [String: String] = [:]
  ) async throws {
    socket = try BlockingSocket(port: port, isIPv6: isIPv6)
    let host = isIPv6 ? "[::1]" : "127.0.0.1"
    var lines = ["GET \(path) HTTP/1.1", "Host: \(host):\(port)", "Connection: Upgrade", "Upgrade: websocket"]
    lines += ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
    if let protocols { lines.append("Sec-WebSocket-Protocol: \(protocols)") }
    lines += headers.map { "\($0): \($1)" }
    try await socket.write(Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8))
    var head: [UInt8] = []
    while !head.suffix(4).elementsEqual("\r\n\r\n".utf8) { head += try await socket.read(1) }
    let answer = String(decoding: head, as: UTF8.self).components(separatedBy: "\r\n")
    status = Int(answer[0].split(separator: " ").dropFirst().first ?? "") ?? 0
    let pairs = answer.dropFirst().filter { !$0.isEmpty }.map { line in
      let parts = line.split(separator: ":", maxSplits: 1)
      return (parts[0].lowercased(), parts.last?.trimmingCharacters(in: .whitespaces) ?? "")
    }
    self.headers = Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    let length = status == 101 ? 0 : Int(self.headers["content-length"] ?? "") ?? 0
    body = String(decoding: try await socket.read(length), as: UTF8.self)
  }

  /// The next bytes of the messages, wherever frames end. Throws `RFBClient.Ended` if the server has closed.
  package func read(_ count: Int) async throws -> [UInt8] {
    while received.count < count { try await receiveFrame() }
    defer { received.removeFirst(count) }
    return Array(received.prefix(count))
  }

  package func write(_ bytes: [UInt8]) async throws { try await send(bytes, opcode: 2) }

  /// - Parameters:
  ///   - isMasked: Whether the frame is masked, which clients must do.
  ///   - isLast: Whether this is the last frame of its message.
  package func send(_ bytes: [UInt8], opcode: UInt8, isMasked: Bool = true, isLast: Bool = true) async throws {
    let mask: [UInt8] = isMasked ? [1, 2, 3, 4] : []
    let flag: UInt8 = isMasked ? 128 : 0
    let length = bytes.count
    let size = length < 126 ? [flag | UInt8(length)] : [flag | 126, UInt8(length >> 8), UInt8(length & 255)]
    let payload = isMasked ? bytes.enumerated().map { $1 ^ mask[$0 % 4] } : bytes
    try await socket.write([(isLast ? 128 : 0) | opcode] + size + mask + payload)
  }

  private func receiveFrame() async throws {
    let head = try await socket.read(2)
    var length = Int(head[1] & 127)
    if length >= 126 { length = try await socket.read(length == 126 ? 2 : 8).reduce(0) { $0 << 8 | Int($1) } }
    let payload = try await socket.read(length)
    switch head[0] & 15 {
    case 0, 2: received += payload
    case 8:
      closeCode = payload.prefix(2).reduce(0) { $0 << 8 | Int($1) }
      throw RFBClient.Ended()
    default: break
    }
  }
}
