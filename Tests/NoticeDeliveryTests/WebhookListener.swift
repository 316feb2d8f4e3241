import Foundation
import Synchronization

/// A program of an operator's that listens on 127.0.0.1 and answers each request in one way.
final class WebhookListener: Sendable {
  struct Request: Sendable {
    let line: String
    /// By their names in lower case.
    let headers: [String: String]
    let body: String
  }

  let port: UInt16
  private let socket: Int32
  private let received = Mutex<[Request]>([])

  var url: URL { URL(string: "http://127.0.0.1:\(port)/notices?from=vpsd")! }
  var requests: [Request] { received.withLock { $0 } }

  /// - Parameter answer: What is sent back; nil for nothing at all.
  init(answering answer: String?) throws {
    socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { [socket] pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        bind(socket, pointer, length) == 0 && listen(socket, 16) == 0 && getsockname(socket, pointer, &length) == 0
      }
    }
    guard isBound else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    port = UInt16(bigEndian: address.sin_port)
    Thread.detachNewThread { [self] in
      while true {
        let connection = accept(socket, nil, nil)
        guard connection >= 0 else {
          // Not where it is shut down: its number could be another listener's before this thread looks again.
          close(socket)
          return
        }
        // A program that another test starts may keep the client's end open, and the next one is not to wait for it.
        Thread.detachNewThread { [self] in serve(connection, answer) }
      }
    }
  }

  func end() {
    shutdown(socket, Int32(SHUT_RDWR))
  }

  private func serve(_ connection: Int32, _ answer: String?) {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while Self.parsed(bytes) == nil {
      let count = recv(connection, &buffer, buffer.count, 0)
      guard count > 0 else { break }
      bytes += buffer.prefix(count)
    }
    if let request = Self.parsed(bytes) { received.withLock { $0.append(request) } }
    if let answer {
      _ = send(connection, answer, answer.utf8.count, Int32(MSG_NOSIGNAL))
      close(connection)
    } else {
      // Until the other side gives up.
      while recv(connection, &buffer, buffer.count, 0) > 0 {}
      close(connection)
    }
  }

  /// Nil while something is missing.
  private static func parsed(_ bytes: [UInt8]) -> Request? {
    let text = String(decoding: bytes, as: UTF8.self)
    guard let head = text.range(of: "\r\n\r\n") else { return nil }
    let lines = text[..<head.lowerBound].components(separatedBy: "\r\n")
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
      if parts.count == 2 { headers[parts[0].lowercased()] = parts[1] }
    }
    let body = String(text[head.upperBound...])
    guard body.utf8.count >= Int(headers["content-length"] ?? "0") ?? 0 else { return nil }
    return Request(line: lines[0], headers: headers, body: body)
  }
}
