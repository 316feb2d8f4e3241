import Foundation
import Synchronization

/// A web server on the loopback that publishes images, as correctly or badly as a test demands.
package final class Publisher: Sendable {
  package struct Page: Sendable {
    package var body: [UInt8] = []
    /// A file whose content is sent instead of `body`.
    package var file: String?
    package var redirect: String?
    package var status = 200
    package var takesRanges = true
    /// The connection ends after so many bytes: each request uses up one element of the list.
    package var cuts: [Int] = []
    /// The pause for each kilobyte, or for each piece of a file.
    package var delay: Duration = .zero
    /// After so many bytes of the body no more come until another page is published in its place.
    package var holdsAfter: Int?
    /// The body from the second request on.
    package var next: [UInt8]?

    package init(
      body: [UInt8] = [], file: String? = nil, redirect: String? = nil, takesRanges: Bool = true, cuts: [Int] = [],
      delay: Duration = .zero, holdsAfter: Int? = nil, next: [UInt8]? = nil
    ) {
      self.body = body
      self.file = file
      self.redirect = redirect
      self.takesRanges = takesRanges
      self.cuts = cuts
      self.delay = delay
      self.holdsAfter = holdsAfter
      self.next = next
    }

    /// The bytes of a small disk with a partition table. The content of its kilobytes depends on the number.
    package static func disk(_ number: UInt8 = 1, kibibytes: Int = 256) -> [UInt8] {
      var bytes = [UInt8](repeating: 0, count: kibibytes << 10)
      for kibibyte in 1..<kibibytes { bytes[kibibyte << 10] = number &+ UInt8(truncatingIfNeeded: kibibyte) }
      // A bootable Linux partition from the second sector to the end.
      bytes[446] = 0x80
      bytes[450] = 0x83
      bytes[454] = 1
      let sectors = kibibytes * 2 - 1
      for byte in 0..<4 { bytes[458 + byte] = UInt8(truncatingIfNeeded: sectors >> (8 * byte)) }
      bytes[510] = 0x55
      bytes[511] = 0xAA
      return bytes
    }
  }

  private struct State {
    var pages: [String: Page] = [:]
    var requests: [String] = []
  }

  private let state = Mutex(State())
  private let listener: Int32
  package let port: UInt16

  package init() throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    self.listener = listener
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        bind(listener, pointer, length) == 0 && listen(listener, 16) == 0
          && getsockname(listener, pointer, &length) == 0
      }
    }
    guard result else { throw POSIXError(.EADDRINUSE) }
    port = UInt16(bigEndian: address.sin_port)
    Thread.detachNewThread { [weak self, listener] in
      while true {
        let connection = accept(listener, nil, nil)
        guard connection >= 0 else { return }
        Thread.detachNewThread { [weak self] in
          self?.answer(connection)
          close(connection)
        }
      }
    }
  }

  deinit {
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
  }

  package func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }

  package func publish(_ path: String, _ body: [UInt8]) { publish(path, Page(body: body)) }
  package func publish(_ path: String, _ page: Page) { state.withLock { $0.pages[path] = page } }

  /// The path of each request, with the range that was asked for.
  package var requests: [String] { state.withLock { $0.requests } }

  private func answer(_ connection: Int32) {
    var head: [UInt8] = []
    var byte: UInt8 = 0
    while !head.suffix(4).elementsEqual([13, 10, 13, 10]) {
      guard read(connection, &byte, 1) == 1, head.count < 65_536 else { return }
      head.append(byte)
    }
    let lines = String(decoding: head, as: UTF8.self).split(whereSeparator: \.isNewline)
    let path = lines.first?.split(separator: " ").dropFirst().first.map(String.init) ?? ""
    let range = lines.first { $0.lowercased().hasPrefix("range: bytes=") }.map { String($0.dropFirst(13)) }
    let (page, cut) = state.withLock { state -> (Page?, Int?) in
      state.requests.append(path + (range.map { " \($0)" } ?? ""))
      guard let page = state.pages[path] else { return (nil, nil) }
      if let next = page.next { state.pages[path]?.body = next }
      state.pages[path]?.next = nil
      return (page, page.cuts.isEmpty ? nil : state.pages[path]?.cuts.removeFirst())
    }
    guard let page else {
      write(connection, Array("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".utf8))
      return
    }
    if let redirect = page.redirect {
      write(connection, Array("HTTP/1.1 302 Found\r\nLocation: \(redirect)\r\nContent-Length: 0\r\n\r\n".utf8))
      return
    }
    if let file = page.file { return sendFile(file, of: path, from: range, page, to: connection) }
    let start = page.takesRanges ? range.flatMap { Int($0.prefix { $0 != "-" }) } ?? 0 : 0
    let body = Array(page.body.dropFirst(start))
    var reply =
      "HTTP/1.1 \(start > 0 ? 206 : page.status) Here\r\nContent-Length: \(body.count)\r\nConnection: close\r\n"
    if start > 0 { reply += "Content-Range: bytes \(start)-\(page.body.count - 1)/\(page.body.count)\r\n" }
    write(connection, Array("\(reply)\r\n".utf8))
    var sent = body.prefix(cut ?? body.count)
    if let count = page.holdsAfter {
      write(connection, Array(sent.prefix(count)))
      sent = sent.dropFirst(count)
      guard isReleased(path, on: connection) else { return }
    }
    guard page.delay > .zero else {
      write(connection, Array(sent))
      return
    }
    while !sent.isEmpty {
      guard write(connection, Array(sent.prefix(1024))) else { return }
      sent = sent.dropFirst(1024)
      poll(nil, 0, Int32(page.delay / .milliseconds(1)))
    }
  }

  /// Waits until there is another page in the place of one that holds. Returns false where the client has gone by then.
  private func isReleased(_ path: String, on connection: Int32) -> Bool {
    while state.withLock({ $0.pages[path]?.holdsAfter != nil }) {
      var client = pollfd(fd: connection, events: Int16(POLLIN), revents: 0)
      // It says nothing more, so there is something to be read only at its end.
      if poll(&client, 1, 5) > 0 { return false }
    }
    return true
  }

  /// Sends pieces of a quarter of a mebibyte, so that the file need not fit in memory.
  private func sendFile(
    _ file: String, of path: String, from range: String?, _ page: Page, to connection: Int32
  ) {
    let descriptor = open(file, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    let size = Int(lseek(descriptor, 0, SEEK_END))
    var offset = range.flatMap { Int($0.prefix { $0 != "-" }) } ?? 0
    var reply =
      "HTTP/1.1 \(offset > 0 ? 206 : 200) Here\r\nContent-Length: \(size - offset)\r\nConnection: close\r\n"
    if offset > 0 { reply += "Content-Range: bytes \(offset)-\(size - 1)/\(size)\r\n" }
    write(connection, Array("\(reply)\r\n".utf8))
    var piece = [UInt8](repeating: 0, count: 256 << 10)
    while true {
      if let count = page.holdsAfter, offset >= count, !isReleased(path, on: connection) { return }
      let count = pread(descriptor, &piece, piece.count, off_t(offset))
      guard count > 0, write(connection, Array(piece.prefix(count))) else { return }
      offset += count
      if page.delay > .zero { poll(nil, 0, Int32(page.delay / .milliseconds(1))) }
    }
  }

  @discardableResult
  private func write(_ connection: Int32, _ bytes: [UInt8]) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Foundation.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }
}
