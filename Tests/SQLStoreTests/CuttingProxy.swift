import Foundation
import Synchronization

/// Stands between a client of PostgreSQL and its server, and cuts them apart at a commit: before the server hears of it, or after it
/// has answered and before the client hears that.
final class CuttingProxy: Sendable {
  private struct State {
    var isArmed = false
    var cutCount = 0
  }

  private let folder: ScopedSocketFolder
  private let listener: CInt
  private let server: String
  private let deliversCommit: Bool
  private let whenCut: @Sendable () -> Void
  private let state = Mutex(State())

  struct Failed: Error {
    let number: CInt
  }

  /// - Parameters:
  ///   - url: A database of the server, at its socket.
  ///   - whenCut: Called before the client hears that its connection is gone.
  init(to url: String, deliversCommit: Bool, whenCut: @escaping @Sendable () -> Void = {}) throws {
    server = String(url.split(separator: "host=", maxSplits: 1)[1]) + "/.s.PGSQL.5432"
    self.deliversCommit = deliversCommit
    self.whenCut = whenCut
    folder = try ScopedSocketFolder()
    let listener = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
    self.listener = listener
    let isListening = Self.withAddress(folder.path + "/.s.PGSQL.5432") { address, length in
      bind(listener, address, length) == 0 && listen(listener, 16) == 0
    }
    guard isListening else { throw Failed(number: errno) }
    let server = server
    Thread.detachNewThread { [weak self] in
      while true {
        let client = accept(listener, nil, nil)
        guard client >= 0 else { return }
        Thread.detachNewThread { [weak self] in Self.relay(client, to: server, self) }
      }
    }
  }

  deinit {
    shutdown(listener, CInt(SHUT_RDWR))
    close(listener)
  }

  func url(of database: String) -> String { "postgresql://vpsd@/\(database)?host=\(folder.path)" }

  func cutNextCommit() { state.withLock { $0.isArmed = true } }
  var cutCount: Int { state.withLock { $0.cutCount } }

  private static func relay(_ client: CInt, to path: String, _ proxy: CuttingProxy?) {
    let server = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
    defer {
      close(client)
      close(server)
    }
    guard withAddress(path, { connect(server, $0, $1) == 0 }) else { return }
    var bytes = [UInt8](repeating: 0, count: 65_536)
    while true {
      var ends = [client, server].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      guard poll(&ends, 2, -1) > 0 else { return }
      for index in [0, 1] where ends[index].revents != 0 {
        let count = read(index == 0 ? client : server, &bytes, bytes.count)
        guard count > 0 else { return }
        let isCut = index == 0 && proxy?.cuts(bytes[..<count]) == true
        if isCut, proxy?.deliversCommit == false { return }
        guard send(index == 0 ? server : client, bytes, count, Int32(MSG_NOSIGNAL)) == count else { return }
        // What the server answers is read, and nobody is told.
        if isCut {
          _ = read(server, &bytes, bytes.count)
          proxy?.whenCut()
          return
        }
      }
    }
  }

  private func cuts(_ message: ArraySlice<UInt8>) -> Bool {
    // A simple query: its kind, its length, its text.
    guard message.first == UInt8(ascii: "Q"), String(decoding: message.dropFirst(5), as: UTF8.self).hasPrefix("COMMIT")
    else { return false }
    return state.withLock { state in
      guard state.isArmed else { return false }
      state.isArmed = false
      state.cutCount += 1
      return true
    }
  }

  private static func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Bool) -> Bool {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
  }
}

/// The path of a socket has little room.
private final class ScopedSocketFolder: Sendable {
  let path: String

  init() throws {
    path = "/tmp/vpsd-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
