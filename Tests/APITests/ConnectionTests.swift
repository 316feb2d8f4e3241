import Engine
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import NIOEmbedded
import NIOHTTP1
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
    limits.idle = .seconds(600)
    try await withServer(limits) { _, port in
      let client = try await RawClient(port: port)
      let began = ContinuousClock.now
      client.send("POST /api/v1/servers/ HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
      // As long as it takes, and shorter than all that drips.
      #expect(await client.dripUntilClosed("x"))
      let lasted = ContinuousClock.now - began
      #expect(lasted >= .milliseconds(450), "\(lasted)")
    }
  }

  @Test("A head that drips is cut off when the connection counts as idle")
  func drippingHead() async throws {
    var limits = ConnectionLimits()
    limits.idle = .milliseconds(500)
    (limits.firstRequest, limits.transfer) = (.seconds(600), .seconds(600))
    try await withServer(limits) { _, port in
      let client = try await RawClient(port: port)
      client.send("GET /healthz HTTP/1.1\r\nX-Slow: ")
      #expect(await client.dripUntilClosed("x"))
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

  @Test("A client that closes its side while its last reply is on the way gets all of it")
  func lastReply() throws {
    let channel = EmbeddedChannel()
    let silence = ConnectionSilence(channel, firstRequestWithin: .hours(1), among: IdleConnections(limit: 0))
    try channel.pipeline.syncOperations.addHandler(ConnectionPersistence(silence))
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 80)).wait()
    let request = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/", headers: ["connection": "close"])
    try channel.writeInbound(HTTPServerRequestPart.head(request))
    try channel.writeInbound(HTTPServerRequestPart.end(nil))
    let reply = HTTPResponseHead(version: .http1_1, status: .ok, headers: ["content-length": "0"])
    channel.write(HTTPServerResponsePart.head(reply), promise: nil)
    channel.write(HTTPServerResponsePart.end(nil), promise: nil)
    channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    #expect(channel.isActive)
    channel.flush()
    #expect(try channel.readOutbound(as: HTTPServerResponsePart.self) != nil)
    #expect(try channel.readOutbound(as: HTTPServerResponsePart.self) == .end(nil))
    #expect(!channel.isActive)
  }

  @Test("A stream that says little goes on, and so does a connection that is used again")
  func quietStream() async throws {
    var limits = ConnectionLimits()
    limits.transfer = .milliseconds(300)
    limits.idle = .milliseconds(300)
    try await withServer(limits) { api, port in
      let client = try await RawClient(port: port)
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
    var limits = ListeningAPI.patient
    limits.connectionsPerAddress = 2
    try await withServer(limits) { _, port in
      let clients = try await RawClient.several(2, port: port)
      for client in clients {
        client.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(await client.receive(until: #""ok""#))
      }
      let refused = try await RawClient(port: port)
      #expect(await refused.dripUntilClosed(""))
      clients[0].close()
      let isLetIn = try await comesTrue {
        let next = try await RawClient(port: port)
        defer { next.close() }
        next.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        return await next.receive(until: #""ok""#)
      }
      #expect(isLetIn)
    }
  }

  @Test("Those who have said nothing yet count, and those who begin to ask for a console")
  func silentPerAddress() async throws {
    var limits = ListeningAPI.patient
    limits.connectionsPerAddress = 4
    try await withServer(limits) { _, port in
      let clients = try await RawClient.several(14, port: port)
      for client in clients.prefix(7) { client.send("GET /console/websocket HTTP/1.1\r\nHost: x\r\n") }
      #expect(await comesTrue { clients.count { $0.hasEnded } >= 10 })
      #expect(clients.count { $0.hasEnded } == 10)
      let neighbour = try await RawClient(port: port, host: 2)
      neighbour.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(await neighbour.receive(until: #""ok""#))
    }
  }

  @Test("However many say nothing, whoever says something is answered", arguments: [0, 300])
  func silentMany(_ perAddress: Int) async throws {
    var limits = ListeningAPI.patient
    limits.connections = 64
    limits.connectionsPerAddress = perAddress
    try await withServer(limits) { _, port in
      var silent: [RawClient] = []
      for number in 0..<300 { silent.append(try await RawClient(port: port, host: UInt32(2 + number % 3))) }
      let client = try await RawClient(port: port)
      client.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(await client.receive(until: #""ok""#))
      // A listener accepts some at once.
      #expect(await comesTrue { silent.count { !$0.hasEnded } < 64 + 16 })
    }
  }

  @Test("Where there is one place only, one after the other has it, and each gets all of its reply")
  func onePlace() async throws {
    var limits = ListeningAPI.patient
    limits.connections = 1
    try await withServer(limits) { _, port in
      var clients: [RawClient] = []
      for _ in 1...5 {
        let client = try await RawClient(port: port)
        // Before it has the place, which it would not keep for long with nothing to say.
        client.send("GET /docs HTTP/1.1\r\nHost: x\r\n\r\n")
        clients.append(client)
      }
      for client in clients { #expect(await client.receive(until: "</html>")) }
    }
  }

  @Test(
    "One address that opens more connections than there may be keeps nobody out, whatever it says first",
    arguments: ["", "GET /con"])
  func silentAddress(_ words: String) async throws {
    var limits = ListeningAPI.patient
    // A quarter of them for an address, as by default.
    (limits.connections, limits.connectionsPerAddress) = (256, 64)
    try await withServer(limits) { _, port in
      var silent: [RawClient] = []
      for _ in 0..<300 {
        silent.append(try await RawClient(port: port, host: 2))
        silent.last?.send(words)
      }
      let client = try await RawClient(port: port)
      client.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(await client.receive(until: #""ok""#))
    }
  }

  @Test(
    "A new connection has a while for its first request, and no longer",
    arguments: ["", "G", "GET /healthz HTTP/1.1\r\nX: ", "GET /console/websocket HTTP/1.1\r\nX: "])
  func firstRequest(_ begin: String) async throws {
    var limits = ConnectionLimits()
    limits.firstRequest = .milliseconds(300)
    (limits.idle, limits.transfer) = (.seconds(600), .seconds(600))
    try await withServer(limits) { _, port in
      let client = try await RawClient(port: port)
      client.send(begin)
      let drop = begin.count > 1 ? "x" : ""
      #expect(await client.dripUntilClosed(drop))
    }
  }

  @Test(
    "A head is as large as it may be, and no larger, at the console's path too",
    arguments: ["/healthz", "/console/websocket"])
  func headBytes(_ path: String) async throws {
    var limits = ConnectionLimits()
    limits.headerBytes = 4096
    try await withServer(limits) { _, port in
      let client = try await RawClient(port: port)
      client.send("GET \(path) HTTP/1.1\r\nHost: x\r\nX-Long: \(String(repeating: "x", count: 5000))\r\n\r\n")
      #expect(await client.receive(until: "HTTP/1.1 400 Bad Request\r\n"))
    }
  }

  private func withServer(
    _ limits: ConnectionLimits, _ body: @escaping @Sendable (TestAPI, Int) async throws -> Void
  ) async throws {
    try await ListeningAPI.with(try await TestAPI.make(), limits) { try await body($0.api, $0.port) }
  }
}
