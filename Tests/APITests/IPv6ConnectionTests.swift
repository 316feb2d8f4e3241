import Core
import Engine
import Foundation
import HTTPTypes
import NIOCore
import NIOEmbedded
import SQLStore
import TestSupport
import Testing

@testable import API

@Suite("A service that is reached over IPv6")
struct IPv6ConnectionTests {
  /// Sends a request and returns all of the answer.
  private func ask(
    _ listening: ListeningAPI, _ line: String, token: String? = nil, isIPv6: Bool = true, _ headers: String...
  ) async throws -> String {
    let socket = try BlockingSocket(port: listening.port, isIPv6: isIPv6)
    let host = isIPv6 ? "[::1]" : "127.0.0.1"
    let fields =
      [
        "Host: \(host):\(listening.port)", "Connection: close",
        "Authorization: Bearer \(token ?? listening.api.service.token.text)", "Content-Length: 0",
      ] + headers
    try await socket.write(Array((["\(line) HTTP/1.1"] + fields + ["", ""]).joined(separator: "\r\n").utf8))
    return String(decoding: try await socket.readToEnd(), as: UTF8.self)
  }

  @Test("The console of a server opens there, to its own page and to no other, and links lead back there")
  func console() async throws {
    let api = try await TestAPI.make()
    let id = try await api.activeServer()
    _ = try await api.activeServer(name: "web-2")
    try await ListeningAPI.with(api, at: "::1") { listening in
      let here = "[::1]:\(listening.port)"
      let list = try await ask(listening, "GET /api/v1/servers/?page_size=1")
      #expect(list.contains(#""next":"http://\#(here)/api/v1/servers/?page_size=1&page=2""#), "\(list)")
      let invitation = try await ask(listening, "POST /api/v1/servers/\(id)/console/")
      #expect(invitation.contains(#"{"url":"http://\#(here)/console/#ticket="#), "\(invitation)")
      #expect(invitation.contains(#""websocket_url":"ws://\#(here)/console/websocket""#))
      let entry = try #require(try await api.service.database.auditTrail(newest: 1).first)
      #expect(entry.origin == "::1")

      let ticket = String(try #require(invitation.firstMatch(of: /"ticket":"([^"]+)"/)).output.1)
      func open(from origin: String) async throws -> WebSocketClient {
        try await WebSocketClient(
          port: listening.port, isIPv6: true, protocols: "binary, ticket.\(ticket)", headers: ["Origin": origin])
      }
      for foreign in ["http://[::2]:\(listening.port)", "http://[::1]", "http://::1:\(listening.port)", "null"] {
        #expect(try await open(from: foreign).status == 403, "\(foreign)")
      }
      let client = try await open(from: "http://\(here)")
      #expect(client.status == 101)
      let screen = try await RFBClient(read: client.read, write: client.write).shakeHands()
      #expect(screen.name == "Simulated server-\(id)")
    }
  }

  @Test("Who listens to every address of the host is reached over both, and tells the clients apart")
  func everywhere() async throws {
    let api = TestAPI(try await TestService())
    let id = try await api.activeServer()
    try await ListeningAPI.with(api, at: "::") { listening in
      for (isIPv6, host) in [(true, "[::1]"), (false, "127.0.0.1")] {
        let console = try await ask(listening, "POST /api/v1/servers/\(id)/console/", isIPv6: isIPv6)
        #expect(console.contains(#""url":"http://\#(host):\#(listening.port)/console/"#), "\(console)")
        let entry = try #require(try await api.service.database.auditTrail(newest: 1).first)
        #expect(entry.origin == (isIPv6 ? "::1" : "127.0.0.1"))
      }
    }
  }

  @Test("Failed logins are limited by the network of 64 bits that they come from")
  func failedLogins() async throws {
    let limits = RequestLimits(requestsPerMinute: 0, loginFailuresPerMinute: 2)
    let proxies = TrustedProxies([try #require(IPNetwork("::1"))])
    let api = TestAPI(try await TestService(), limits: limits, trustedProxies: proxies)
    try await ListeningAPI.with(api, at: "::1") { listening in
      var answers: [Substring] = []
      for client in [
        "2001:db8:0:1::1", "[2001:db8:0:1:ffff::2]:4711", "2001:db8:0:1:abcd:ef01:2345:6789", "2001:db8:0:2::1",
      ] {
        answers.append(
          try await ask(listening, "GET /api/v1/plans/", token: "x", "X-Forwarded-For: \(client)").prefix(12))
      }
      #expect(answers == ["HTTP/1.1 401", "HTTP/1.1 401", "HTTP/1.1 429", "HTTP/1.1 401"])
    }
  }

  @Test("So are connections")
  func connections() throws {
    let counts = ConnectionCounts()
    func connect(_ address: String) throws -> EmbeddedChannel {
      let channel = EmbeddedChannel()
      channel.remoteAddress = try SocketAddress(ipAddress: address, port: 4711)
      try channel.pipeline.syncOperations.addHandler(ConnectionShare(counts, limit: 2))
      channel.embeddedEventLoop.run()
      return channel
    }
    let first = try connect("2001:db8:0:1::1")
    let second = try connect("2001:db8:0:1:ffff::2")
    let third = try connect("2001:db8:0:1::3")
    #expect(throws: ChannelError.alreadyClosed) { try third.finish(acceptAlreadyClosed: false) }
    let other = try connect("2001:db8:0:2::1")
    #expect(counts.total == 3)
    for channel in [first, second, other] { _ = try channel.finish(acceptAlreadyClosed: false) }
    #expect(counts.total == 0)
  }
}
