import Core
import Engine
import Foundation
import HTTPTypes
import TestSupport
import Testing

@testable import API

@Suite("How long a connection lasts, and what is read of it at its end", .serialized)
struct PersistenceTests {
  private static let health = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"

  private func withPort(_ test: @escaping @Sendable (TestAPI, Int) async throws -> Void) async throws {
    try await ListeningAPI.with(try await TestAPI.make()) { try await test($0.api, $0.port) }
  }

  private static func post(_ token: String, _ more: String) -> String {
    let authorization = token.isEmpty ? "" : "Authorization: Bearer \(token)\r\n"
    return "POST /api/v1/servers/ HTTP/1.1\r\nHost: x\r\n\(authorization)Content-Type: application/json\r\n\(more)\r\n"
  }

  @Test(
    "Whoever says so, however it is written, or speaks HTTP/1.0, has its connection closed, and is told",
    arguments: [
      "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
      "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: CLOSE\r\n\r\n",
      "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: foo, Close\r\n\r\n",
      "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\nConnection: foo ,close\r\n\r\n",
      "GET /healthz HTTP/1.0\r\n\r\n", "GET /healthz HTTP/1.0\r\nHost: x\r\nConnection: close, keep-alive\r\n\r\n",
    ])
  func closes(_ request: String) async throws {
    try await withPort { _, port in
      let client = try await RawClient(port: port)
      // What follows the last request is none.
      client.send(request + Self.health)
      let reply = try #require(await client.receiveAll())
      #expect(reply.contains("200 OK\r\n") && reply.hasSuffix(#"{"status":"ok"}"#))
      #expect(reply.components(separatedBy: "HTTP/1.").count == 2)
      #expect(reply.contains("\r\nConnection: close\r\n"))
    }
  }

  @Test("Everybody else asks again and again, one request after the other or all at once")
  func persists() async throws {
    try await withPort { _, port in
      for request in [Self.health, "GET /healthz HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"] {
        let client = try await RawClient(port: port)
        client.send(request + request)
        #expect(await client.receive(until: #"{"status":"ok"}HTTP/1."#))
        client.send(request)
        let isAnswered = await client.receive(until: #"{"status":"ok"}HTTP/1."#)
        #expect(isAnswered && !client.isClosed)
        let isOld = request.contains("1.0")
        #expect(client.received.contains("\r\nConnection: keep-alive\r\n") == isOld)
        #expect(client.received.hasPrefix(isOld ? "HTTP/1.0 200 OK\r\n" : "HTTP/1.1 200 OK\r\n"))
      }
    }
  }

  @Test("A client of HTTP/1.0 gets a stream as it is, and no chunks")
  func oldStream() async throws {
    try await withPort { api, port in
      let client = try await RawClient(port: port)
      client.send("GET /api/v1/events/ HTTP/1.0\r\nAuthorization: Bearer \(api.service.token.text)\r\n\r\n")
      #expect(await client.receive(until: "\r\n\r\n: heartbeat\nid: 0\n\n"))
      #expect(!client.received.lowercased().contains("chunked"))
      _ = try await api.createServer(name: "old")
      #expect(await client.receive(until: "old"))
      api.service.changes.end()
      #expect(await client.receiveAll() != nil)
    }
  }

  @Test("A client that waits for a word before it sends its body gets one where the body is read")
  func expectation() async throws {
    try await withPort { api, port in
      let token = api.service.token.text
      let client = try await RawClient(port: port)
      client.send(Self.post(token, "Expect: 100-Continue\r\nContent-Length: 2\r\n"))
      #expect(await client.receive(until: "HTTP/1.1 100 Continue\r\n\r\n"))
      client.send("{}")
      #expect(await client.receive(until: "HTTP/1.1 400 Bad Request\r\n"))
      #expect(await client.receive(until: "This field is required."))
      client.send(Self.health)
      #expect(await client.receive(until: #"{"status":"ok"}"#))
      #expect(client.received.components(separatedBy: "100 Continue").count == 2)
    }
  }

  @Test("… and the reply where it is not: no token, too large, an expectation that nobody knows")
  func expectationRefused() async throws {
    try await withPort { api, port in
      let token = api.service.token.text
      for (request, status) in [
        (Self.post("", "Expect: 100-continue\r\nContent-Length: 2\r\n"), 401),
        (Self.post(token, "Expect: 100-continue\r\nContent-Length: 2000000\r\n"), 413),
        (Self.post(token, "Expect: a-miracle\r\nContent-Length: 200000\r\n"), 417),
      ] {
        let client = try await RawClient(port: port)
        client.send(request)
        let reply = try #require(await client.receiveAll())
        #expect(reply.hasPrefix("HTTP/1.1 \(status) "))
        #expect(reply.contains("\r\nConnection: close\r\n"))
      }
    }
  }

  @Test("Of the body of a refused request little is read, and its client gets the reply", arguments: [true, false])
  func refusedBody(_ isChunked: Bool) async throws {
    try await withPort { _, port in
      let client = try await RawClient(port: port)
      client.send(Self.post("", isChunked ? "Transfer-Encoding: chunked\r\n" : "Content-Length: 1000000000\r\n"))
      let part = String(repeating: "x", count: 50_000)
      var sent = 0
      let began = ContinuousClock.now
      while !client.isClosed, ContinuousClock.now - began < .seconds(90) {
        sent += client.send(isChunked ? "c350\r\n\(part)\r\n" : part)
        await Task.yield()
      }
      // Beyond what was read, the buffers of the system hold some.
      #expect(sent < 20_000_000)
      #expect(client.isClosed)
      _ = await client.receiveAll()
      #expect(client.received.hasPrefix("HTTP/1.1 401 Unauthorized\r\n"))
      #expect(client.received.contains("\r\nConnection: close\r\n"))
    }
  }

  @Test("A short rest of a refused request is waited for, and the connection goes on")
  func shortRest() async throws {
    try await withPort { _, port in
      let hasGoneOn = try await comesTrue {
        let client = try await RawClient(port: port)
        let began = ContinuousClock.now
        client.send(Self.post("", "Content-Length: 10\r\n"))
        #expect(await client.receive(until: "credentials"))
        client.send("0123456789" + Self.health)
        // A host that has too much to do may let the client sleep for as long as the service waits.
        let isInTime = ContinuousClock.now - began < .seconds(1)
        let isAnswered = await client.receive(until: #"{"status":"ok"}"#)
        try #require(isAnswered || !isInTime)
        #expect(!client.received.contains("Connection: close"))
        return isAnswered
      }
      #expect(hasGoneOn)
    }
  }

  @Test("… but not for ever")
  func missingRest() async throws {
    var limits = ListeningAPI.patient
    (limits.idle, limits.transfer) = (.seconds(600), .seconds(600))
    try await ListeningAPI.with(try await TestAPI.make(), limits) { here in
      let client = try await RawClient(port: here.port)
      client.send(Self.post("", "Content-Length: 10\r\n"))
      #expect(await client.receiveAll() != nil)
    }
  }

  @Test("What is no HTTP gets one reply, and the connection is closed")
  func nonsense() async throws {
    try await withPort { api, port in
      let client = try await RawClient(port: port)
      client.send(Self.health + "nonsense\r\n\r\n" + Self.health)
      let reply = try #require(await client.receiveAll())
      #expect(reply.components(separatedBy: "HTTP/1.1 ").map { $0.prefix(3) } == ["", "200", "400"])
      let chunks = try await RawClient(port: port)
      chunks.send(Self.post(api.service.token.text, "Transfer-Encoding: chunked\r\n") + "nonsense\r\n")
      let refused = try #require(await chunks.receiveAll())
      #expect(refused.components(separatedBy: "HTTP/1.1 ").map { $0.prefix(3) } == ["", "400"])
    }
  }

  @Test("A body that is compressed is refused by that name", arguments: ["gzip", "identity, br"])
  func compressed(_ coding: String) async throws {
    let api = try await TestAPI.make()
    let reply = try await api.send(.post, "/servers/", "{}", headers: [.contentEncoding: coding])
    #expect(reply.status == 415)
    #expect(reply.headers[.acceptEncoding] == "identity")
    #expect(reply.text.contains("Content-Encoding"))
    expectEqual(try await api.send(.post, "/servers/", "{}", headers: [.contentEncoding: "Identity"]).status, 400)
  }

  @Test("An account has so many streams of events, and one that is gone leaves its place")
  func streams() async throws {
    var limits = TestAPI.noLimits
    limits.eventStreamsPerAccount = 2
    let api = TestAPI(try await TestService(), limits: limits)
    let (_, neighbour) = try await api.service.newCaller()
    try await ListeningAPI.with(api) { listening in
      func listen(_ token: String) async throws -> RawClient {
        let client = try await RawClient(port: listening.port)
        client.send("GET /api/v1/events/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n\r\n")
        return client
      }
      let token = api.service.token.text
      let open = [try await listen(token), try await listen(token)]
      for client in open { #expect(await client.receive(until: "heartbeat")) }
      let refused = try await listen(token)
      #expect(await refused.receive(until: "Event stream limit of your account reached (2). Close one first."))
      #expect(refused.received.hasPrefix("HTTP/1.1 429 "))
      #expect(refused.received.contains("\r\nRetry-After: "))
      let other = try await listen(neighbour.text)
      #expect(await other.receive(until: "heartbeat"))
      expectEqual(try await api.send(.head, "/events/").status, 429)
      open[0].close()
      let isLetIn = try await comesTrue {
        api.service.clock.advance(by: .seconds(1))
        let next = try await listen(token)
        #expect(await next.receive(until: "\r\n\r\n"), "\(next.received)")
        let isLetIn = next.received.hasPrefix("HTTP/1.1 200 ")
        if !isLetIn { #expect(next.received.hasPrefix("HTTP/1.1 429 "), "\(next.received)") }
        return isLetIn
      }
      #expect(isLetIn)
    }
  }
}
