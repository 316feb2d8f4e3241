import Engine
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOEmbedded
import Synchronization
import TestSupport
import Testing

@testable import API

/// The service behind a real socket on loopback, with limits that are short enough to be waited for.
@Suite("Clients that are slow, or many", .serialized)
struct ConnectionTests {
  @Test("A body that drips is cut off at the deadline, busy as it looks")
  func drippingBody() async throws {
    var limits = ConnectionLimits()
    limits.transfer = .milliseconds(500)
    try await withServer(limits) { _, port in
      let client = try RawClient(port: port)
      client.send("POST /api/v1/servers/ HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
      let lasted = await client.dripUntilClosed("x")
      #expect(lasted.map { (.milliseconds(450)...Duration.seconds(20)).contains($0) } == true)
    }
  }

  @Test("A head that drips is cut off when the connection counts as idle")
  func drippingHead() async throws {
    var limits = ConnectionLimits()
    limits.idle = .milliseconds(500)
    try await withServer(limits) { _, port in
      let client = try RawClient(port: port)
      client.send("GET /healthz HTTP/1.1\r\nX-Slow: ")
      #expect(await client.dripUntilClosed("x") != nil)
    }
  }

  @Test("A client that takes nothing of a reply is cut off, and one that takes some of it in time is not")
  func slowReader() throws {
    let channel = EmbeddedChannel()
    try channel.pipeline.syncOperations.addHandler(TransferDeadline(.seconds(60)))
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 80)).wait()
    func setWritable(_ isWritable: Bool) {
      channel.isWritable = isWritable
      channel.pipeline.fireChannelWritabilityChanged()
    }
    for _ in 1...5 {
      setWritable(false)
      channel.embeddedEventLoop.advanceTime(by: .seconds(59))
      setWritable(true)
    }
    channel.embeddedEventLoop.advanceTime(by: .hours(1))
    #expect(channel.isActive)
    setWritable(false)
    channel.embeddedEventLoop.advanceTime(by: .seconds(61))
    #expect(!channel.isActive)
  }

  @Test("A stream that says little goes on, and so does a connection that is used again")
  func quietStream() async throws {
    var limits = ConnectionLimits()
    limits.transfer = .milliseconds(300)
    limits.idle = .milliseconds(300)
    try await withServer(limits) { api, port in
      let client = try RawClient(port: port)
      client.send(
        "GET /api/v1/events/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(api.service.token.text)\r\n\r\n")
      #expect(await client.receive(until: "200 OK"))
      try await Task.sleep(for: .seconds(1))
      _ = try await api.createServer(name: "heard")
      #expect(await client.receive(until: "heard"))
      #expect(!client.isClosed)
    }
  }

  @Test("An address has so many connections and no more, until one of them ends")
  func perAddress() async throws {
    var limits = ConnectionLimits()
    limits.connectionsPerAddress = 2
    try await withServer(limits) { _, port in
      let clients = try (1...2).map { _ in try RawClient(port: port) }
      for client in clients {
        client.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(await client.receive(until: #""ok""#))
      }
      let refused = try RawClient(port: port)
      #expect(await refused.dripUntilClosed("") != nil)
      clients[0].close()
      var isLetIn = false
      for _ in 0..<100 where !isLetIn {
        let next = try RawClient(port: port)
        next.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        isLetIn = await next.receive(until: #""ok""#, withinSeconds: 1)
        next.close()
      }
      #expect(isLetIn)
    }
  }

  private func withServer(_ limits: ConnectionLimits, _ body: (TestAPI, Int) async throws -> Void) async throws {
    let api = try await TestAPI.make()
    let (ports, found) = AsyncStream.makeStream(of: Int.self)
    let application = Application(
      router: api.api.router(), server: .http1(configuration: limits.http()),
      configuration: .init(address: .hostname("127.0.0.1", port: 0)),
      onServerRunning: { channel in found.yield(channel.localAddress?.port ?? 0) },
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await application.run() }
      for await port in ports {
        try await body(api, port)
        break
      }
      api.service.changes.end()
      group.cancelAll()
      while let result = await group.nextResult() {
        if case .failure(let error) = result, !(error is CancellationError) { throw error }
      }
    }
  }
}

/// A client that speaks byte by byte, and never waits in the kernel.
final class RawClient: Sendable {
  private let descriptor: Int32
  private let state = Mutex((text: "", isClosed: false))

  struct CannotConnect: Error {}

  init(port: Int) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else { throw CannotConnect() }
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
  }

  deinit { close() }

  func close() { shutdown(descriptor, Int32(SHUT_RDWR)) }

  var isClosed: Bool { state.withLock { $0.isClosed } }

  var received: String { state.withLock { $0.text } }

  /// Whether the server closes the connection, whatever it says before.
  func ends(withinSeconds limit: Int = 20) async -> Bool {
    _ = await receive(until: "what nobody says", withinSeconds: limit)
    return isClosed
  }

  func send(_ text: String) {
    let bytes = Array(text.utf8)
    let count = Foundation.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    if count < 0, errno != EAGAIN { state.withLock { $0.isClosed = true } }
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

  func receive(until text: String, withinSeconds limit: Int = 20) async -> Bool {
    let deadline = ContinuousClock.now + .seconds(limit)
    while ContinuousClock.now < deadline, !isClosed {
      look()
      if state.withLock({ $0.text.contains(text) }) { return true }
      try? await Task.sleep(for: .milliseconds(10))
    }
    return false
  }

  /// Sends a text again and again, and reads nothing; returns how long it took until the server closed the connection.
  func dripUntilClosed(
    _ text: String, withinSeconds limit: Int = 20
  ) async -> Duration? {
    let began = ContinuousClock.now
    while ContinuousClock.now - began < .seconds(limit) {
      send(text)
      if isClosed || hasEnded { return ContinuousClock.now - began }
      try? await Task.sleep(for: .milliseconds(20))
    }
    return nil
  }

  /// Whether the other side has closed, told without taking anything from the buffer.
  private var hasEnded: Bool {
    var descriptors = pollfd(fd: descriptor, events: 0, revents: 0)
    if poll(&descriptors, 1, 0) > 0, descriptors.revents & Int16(POLLHUP | POLLERR) != 0 { return true }
    var byte: UInt8 = 0
    return recv(descriptor, &byte, 1, Int32(MSG_PEEK)) == 0
  }
}
