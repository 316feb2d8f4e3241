import Core
import Foundation
import Hummingbird
import Logging
import ServiceLifecycle
import TestSupport
import Testing

@testable import API

@Suite("What is given from memory goes the way of every reply through its connection")
struct RepliesInMemoryConnectionTests {
  /// What does not differ from one reply to the next.
  private func fixed(_ reply: String) -> [String] {
    reply.components(separatedBy: "\r\n").filter { !$0.hasPrefix("Date:") && !$0.hasPrefix("X-Request-ID:") }.sorted()
  }

  @Test(
    "HTTP/1.0, an offer of another protocol and a last request get what the routes say to them",
    arguments: [
      ("1.0", ""), ("1.0", "Connection: close\r\n"), ("1.1", "Connection: close\r\n"),
      ("1.1", "Connection: keep-alive, Close\r\n"), ("1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\n"),
      ("1.1", "Connection: close, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n"),
    ])
  func versions(_ version: String, _ headers: String) async throws {
    try await WarmAPI.with(mark: { 7 }) { here in
      let request = here.request("/servers/1/", headers, version: version)
      let made = try await here.send(request)
      #expect(made.hasPrefix("HTTP/\(version) 200 "))
      try await here.keep()
      try await here.rename("after")
      let given = try await here.send(request)
      #expect(given.contains("before"))
      #expect(fixed(given) == fixed(made))
    }
  }

  @Test("HTTP/1.0 keeps the connection where it asks for that")
  func keepAlive() async throws {
    try await WarmAPI.with(mark: { 7 }) { here in
      try await here.keep()
      let kept = here.request("/servers/1/", "Connection: keep-alive\r\n", version: "1.0")
      let text = try await here.send(kept + kept + kept + here.request("/servers/1/", version: "1.0"))
      #expect(text.components(separatedBy: "HTTP/1.0 200 ").count == 5)
      #expect(text.components(separatedBy: "Connection: keep-alive\r\n").count == 4)
    }
  }

  @Test(
    "A client that says it will say no more gets all that it has asked for, also where it reads late",
    arguments: ["", "Connection: close\r\n"], [1, 4, 400])
  func halfClosed(_ last: String, _ count: Int) async throws {
    try await WarmAPI.with(mark: { 7 }) { here in
      for _ in 1...9 { _ = try await here.api.createServer() }
      let length = try await longList(here)
      let client = try await RawClient(port: here.port)
      let text =
        String(repeating: here.request("/servers/"), count: count - 1) + here.request("/servers/", last)
      #expect(client.send(text) == text.utf8.count)
      client.closeInput()
      // The buffers of the kernel are full by now, or all is in them.
      for _ in 1...20 { _ = try await here.get() }
      let received = try #require(await client.receiveAll())
      #expect(received.utf8.count > count * length)
      #expect(received.components(separatedBy: "HTTP/1.1 200 ").count == count + 1)
    }
  }

  /// Keeps the list of all servers; returns the bytes of its body.
  private func longList(_ here: WarmAPI) async throws -> Int {
    try await here.keep("/servers/")
    let list = try await here.get("/servers/")
    #expect(here.count == 1)
    return try #require(list.firstMatch(of: /Content-Length: (\d+)/).flatMap { Int($0.1) })
  }

  @Test("A client that reads nothing is cut off")
  func unread() async throws {
    var connections = ConnectionLimits()
    connections.firstRequest = .seconds(600)
    connections.transfer = .milliseconds(500)
    try await WarmAPI.with(connections: connections, mark: { 7 }) { here in
      for _ in 1...9 { _ = try await here.api.createServer() }
      _ = try await longList(here)
      let client = try await RawClient(port: here.port)
      let text = String(repeating: here.request("/servers/"), count: 500)
      #expect(await client.dripUntilClosed(text))
    }
  }

  @Test("A connection that was only answered from memory is closed once it has been idle, and not before")
  func idle() async throws {
    var connections = ConnectionLimits()
    connections.firstRequest = .seconds(600)
    connections.idle = .seconds(2)
    try await WarmAPI.with(connections: connections, mark: { 7 }) { here in
      try await here.keep()
      var wasIdle = true
      for _ in 1...10 where wasIdle {
        let client = try await RawClient(port: here.port)
        let began = ContinuousClock.now
        var (count, last) = (0, began)
        wasIdle = false
        while ContinuousClock.now - began < .seconds(3), !wasIdle {
          count += 1
          let sent = ContinuousClock.now
          client.send(here.request("/servers/1/", "X-Request-ID: number-\(count)\r\n"))
          let isAnswered = await client.receive(until: "X-Request-ID: number-\(count)\r\n")
          // Where the host lets it sleep for so long after the request before, it may have been idle.
          wasIdle = ContinuousClock.now - last > .milliseconds(1500)
          last = sent
          try #require(isAnswered || wasIdle)
        }
        if wasIdle { continue }
        let text = try #require(await client.receiveAll())
        #expect(text.components(separatedBy: "HTTP/1.1 200 ").count == count + 1)
      }
      #expect(!wasIdle)
    }
  }

  @Test("Links are those of the host and scheme that a trusted proxy tells for this very request")
  func forwarded() async throws {
    let proxies = TrustedProxies(["127.0.0.0/8"].compactMap { IPNetwork($0) })
    try await WarmAPI.with(trustedProxies: proxies, mark: { 7 }) { here in
      _ = try await here.api.createServer()
      let path = "/servers/?page_size=1"
      let words = ["https": "one.example", "http": "two.example:8443"]
      for _ in 1...3 {
        for (scheme, host) in words {
          let headers = "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: \(scheme)\r\nX-Forwarded-Host: \(host)\r\n"
          try await here.keep(path, headers)
          #expect(try await here.get(path, headers).contains(#""next":"\#(scheme)://\#(host)/api/v1/servers/?page"#))
        }
        #expect(try await here.get(path).contains(#""next":"http://vps.example/api/v1/servers/?page"#))
      }
      #expect(here.count == 3)
    }
  }

  @Test("A service that ends closes connections that were answered from memory")
  func shutdown() async throws {
    let api = TestAPI(try await TestService(), changeMark: { 7 })
    _ = try await api.activeServer(name: "before")
    let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
    let listener = api.api.listener(
      on: .hostname("127.0.0.1", port: 0), limits: ListeningAPI.patient,
      onServerRunning: { channel in continuation.yield(channel.localAddress?.port ?? 0) })
    let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    let group = ServiceGroup(configuration: .init(services: [listener], logger: logger))
    async let end: Void = group.run()
    let port = try #require(await ports.first { _ in true })
    let here = WarmAPI(api: api, port: port)
    try await here.keep()
    let client = try await RawClient(port: port)
    client.send(here.request())
    #expect(await client.receive(until: "before"))
    let idle = try await RawClient(port: port)
    idle.send(here.request())
    #expect(await idle.receive(until: "before"))
    await group.triggerGracefulShutdown()
    #expect(await client.ends())
    #expect(await idle.ends())
    try await end
  }
}
