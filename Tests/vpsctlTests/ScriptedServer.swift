import Foundation
import Synchronization

/// A service that does what a test wants it to: cuts connections, says nonsense, takes its time.
final class ScriptedServer: Sendable {
  struct Request: Sendable {
    let head: String
    let body: String

    var method: String { String(head.prefix { $0 != " " }) }
    var path: String { String(head.split(separator: " ").dropFirst().first ?? "") }
    var bytes: [UInt8] { Array((head + "\r\n\r\n" + body).utf8) }

    func header(_ name: String) -> String? {
      head.split(separator: "\r\n").lazy.compactMap { line -> String? in
        let parts = line.split(separator: ":", maxSplits: 1)
        return parts.count == 2 && parts[0].lowercased() == name.lowercased()
          ? parts[1].trimmingCharacters(in: .whitespaces) : nil
      }.first
    }
  }

  enum Answer: Sendable {
    case json(Int, String, [String: String])
    case raw(String)
    /// The connection ends without an answer.
    case cut
    /// It says this, and nothing more, until the other end has had enough.
    case begin(String)

    static func json(_ status: Int, _ text: String) -> Answer { .json(status, text, [:]) }
  }

  private let socket: Int32
  let port: Int
  private let seen = Mutex<[Request]>([])
  private let answer: @Sendable (Request) -> Answer

  var url: String { "http://127.0.0.1:\(port)" }
  var requests: [Request] { seen.withLock { $0 } }

  init(_ answer: @escaping @Sendable (Request) -> Answer) throws {
    self.answer = answer
    socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listening = socket
    let isReady = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listening, $0, size) == 0 && listen(listening, 64) == 0 && getsockname(listening, $0, &size) == 0
      }
    }
    guard isReady else { throw POSIXError(.EADDRNOTAVAIL) }
    port = Int(UInt16(bigEndian: address.sin_port))
    // It listens for as long as the tests run: nobody knows when the last program has asked it.
    let accept: @Sendable () -> Void = { [self] in
      while true {
        let connection = Foundation.accept(listening, nil, nil)
        guard connection >= 0 else { return }
        Thread { self.serve(connection) }.start()
      }
    }
    Thread(block: accept).start()
  }

  private func serve(_ connection: Int32) {
    defer { close(connection) }
    var pending: [UInt8] = []
    while let request = Self.read(connection, &pending) {
      seen.withLock { $0.append(request) }
      switch answer(request) {
      case .cut: return
      case .raw(let text):
        Self.write(Array(text.utf8), connection)
        return
      case .begin(let text):
        Self.write(Array(text.utf8), connection)
        var byte: UInt8 = 0
        _ = recv(connection, &byte, 1, 0)
        return
      case .json(let status, let text, let headers):
        let more = headers.map { "\($0.key): \($0.value)\r\n" }.joined()
        Self.write(
          Array(
            ("HTTP/1.1 \(status) X\r\nContent-Type: application/json\r\nContent-Length: \(text.utf8.count)\r\n" + more
              + "\r\n" + text).utf8), connection)
      }
    }
  }

  private static func read(_ connection: Int32, _ pending: inout [UInt8]) -> Request? {
    let end = Array("\r\n\r\n".utf8)
    while true {
      if let range = pending.firstRange(of: end) {
        let head = String(decoding: pending[..<range.lowerBound], as: UTF8.self)
        let length = Request(head: head, body: "").header("Content-Length").flatMap { Int($0) } ?? 0
        if pending.count >= range.upperBound + length {
          let body = String(decoding: pending[range.upperBound..<range.upperBound + length], as: UTF8.self)
          pending.removeFirst(range.upperBound + length)
          return Request(head: head, body: body)
        }
      }
      var piece = [UInt8](repeating: 0, count: 65_536)
      let count = recv(connection, &piece, piece.count, 0)
      guard count > 0 else { return nil }
      pending += piece.prefix(count)
    }
  }

  private static func write(_ bytes: [UInt8], _ connection: Int32) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }

  /// What another server on this machine answers.
  static func forward(_ request: Request, to port: Int) -> String {
    let connection = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(connection) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    address.sin_port = in_port_t(port).bigEndian
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isConnected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(connection, $0, size) == 0 }
    }
    guard isConnected else { return "" }
    write(Array((request.head + "\r\nConnection: close\r\n\r\n" + request.body).utf8), connection)
    var answer: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = recv(connection, &piece, piece.count, 0)
      guard count > 0 else { return String(decoding: answer, as: UTF8.self) }
      answer += piece.prefix(count)
    }
  }
}
