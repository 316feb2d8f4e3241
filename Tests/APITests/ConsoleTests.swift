import API
import Core
import Engine
import Foundation
import HTTPTypes
import SimulatedDriver
import TestSupport
import Testing

@Suite("The console over HTTP")
struct ConsoleTests {
  // MARK: Asking for it

  @Test("Its page is the same in each language, but for what people read")
  func languages() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Sources/API/Console")
    let pages = try ["console.html", "console.bg.html"].map { name in
      try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
    }
    let parts = pages.map { page in
      page.matches(of: /<\/?[a-z0-9]+|(id|type|value|src|href|data-[a-z]+|maxlength|aria-labelledby)=|id="[^"]*"/)
        .map { String($0.output.0) }
    }
    #expect(parts[0] == parts[1] && parts[0].count > 40)
    #expect(pages[1].contains("lang=\"bg\"") && !pages[1].contains("Paste") && !pages[1].contains("Connect"))
  }

  @Test("The address of a console is on the host that the client reached, with the ticket where browsers keep it")
  func invitation() async throws {
    let api = try await TestAPI.make()
    let id = try await api.activeServer()
    let reply = try await api.send(.post, "/servers/\(id)/console/")
    #expect(reply.status == 201)
    #expect(reply.headers[.cacheControl] == "no-store")
    let key: HTTPFields = [.init("Idempotency-Key")!: "console"]
    let first = try await api.send(.post, "/servers/\(id)/console/", headers: key)
    let replayed = try await api.send(.post, "/servers/\(id)/console/", headers: key)
    #expect(replayed.text == first.text && replayed.headers[.cacheControl] == "no-store")
    let ticket = try #require(try reply.json["ticket"] as? String)
    #expect(ticket.count == 43)
    let expiry = (api.service.clock.now + .seconds(60)).wireFormat
    #expect(
      reply.text == #"{"url":"http://127.0.0.1/console/#ticket=\#(ticket)&server=web-1","#
        + #""expires_at":"\#(expiry)","websocket_url":"ws://127.0.0.1/console/websocket","#
        + #""ticket":"\#(ticket)"}"#)
    let again = try await api.send(
      .post, "/servers/\(id)/console/", headers: [.init("X-Forwarded-Proto")!: "https"])
    #expect(again.text.contains(#""url":"http://127.0.0.1/console/#ticket="#), "nobody has said that this is a proxy")
    expectEqual(try await api.send(.post, "/servers/\(id)/console/", "[]").status, 400)
  }

  @Test("Behind a proxy it is where the operator says")
  func publicURL() async throws {
    let api = TestAPI(try await TestService(), publicURL: PublicURL("https://VPS.example.com/cloud/"))
    let id = try await api.activeServer()
    let reply = try await api.send(.post, "/servers/\(id)/console/")
    #expect(reply.text.contains(#""url":"https://vps.example.com/cloud/console/#ticket="#))
    #expect(reply.text.contains(#""websocket_url":"wss://vps.example.com/cloud/console/websocket""#))
    _ = try await api.activeServer(name: "web-2")
    let page = try await api.send(.get, "/servers/?page_size=1")
    #expect(page.text.contains(#""next":"https://vps.example.com/cloud/api/v1/servers/?page_size=1&page=2""#))
  }

  @Test(
    "A public URL is one",
    arguments: ["", "vps.example.com", "ftp://a", "https://", "https://a b", "https://a/?b", "https://a/#b"])
  func badPublicURL(text: String) {
    #expect(PublicURL(text) == nil)
  }

  @Test("A server that does not run has no console, and neither has another account's")
  func refused() async throws {
    let api = try await TestAPI.make()
    let id = try await api.createServer()
    expectEqual(try await api.send(.post, "/servers/\(id)/console/").text, #"{"detail":"Server is provisioning."}"#)
    try await api.service.settle()
    _ = try await api.send(.post, "/servers/\(id)/stop/")
    try await api.service.settle()
    let stopped = try await api.send(.post, "/servers/\(id)/console/")
    #expect(stopped.status == 400)
    #expect(stopped.text == #"{"detail":"Server is not running."}"#)
    let (_, stranger) = try await api.service.newCaller()
    expectEqual(try await api.send(.post, "/servers/\(id)/console/", token: stranger.text).status, 404)
  }

  // MARK: Its WebSocket

  @Test("With its ticket, once, the WebSocket speaks RFB to the machine")
  func handshake() async throws {
    let api = try await TestAPI.make()
    let id = try await api.activeServer()
    try await ListeningAPI.with(api) { listening in
      let invitation = try await listening.invitation(to: id)
      let client = try await WebSocketClient(port: listening.port, protocols: invitation.protocols)
      #expect(client.status == 101)
      #expect(client.headers["sec-websocket-protocol"] == "binary")
      let rfb = RFBClient(read: client.read, write: client.write)
      let screen = try await rfb.shakeHands()
      #expect(screen == RFBClient.Screen(width: 640, height: 400, name: "Simulated server-\(id)"))
      // More than any frame or buffer holds.
      let pixels = try await rfb.requestPicture(of: screen)
      #expect(pixels.count == 1_024_000)
      // White, yellow, and so on to black.
      #expect(pixels[0..<4] == [96, 96, 96, 255])
      #expect(pixels[320..<324] == [0, 96, 96, 255])
      #expect(pixels.suffix(4) == [0, 0, 0, 255])

      let again = try await WebSocketClient(port: listening.port, protocols: invitation.protocols)
      #expect(again.status == 403)
      #expect(again.body.contains("ticket is not valid"))
      #expect(!again.body.contains(invitation.ticket))
    }
  }

  @Test("Without its ticket, in time, it refuses")
  func noTicket() async throws {
    let api = try await TestAPI.make()
    let id = try await api.activeServer()
    try await ListeningAPI.with(api) { listening in
      for protocols in [nil, "binary", "binary, ticket.x", "binary, ticket.\(String(repeating: "A", count: 43))"] {
        expectEqual(try await WebSocketClient(port: listening.port, protocols: protocols).status, 403)
      }
      let invitation = try await listening.invitation(to: id)
      expectEqual(try await WebSocketClient(port: listening.port, protocols: "ticket.\(invitation.ticket)").status, 403)
      let elsewhere = try await WebSocketClient(
        port: listening.port, path: "/console/websocket/x", protocols: invitation.protocols)
      #expect(elsewhere.status == 404)
      api.service.clock.advance(by: .seconds(60))
      expectEqual(try await WebSocketClient(port: listening.port, protocols: invitation.protocols).status, 403)
    }
  }

  @Test("A page of another host opens nothing, and uses nothing up")
  func origin() async throws {
    let api = try await TestAPI.make()
    let id = try await api.activeServer()
    try await ListeningAPI.with(api) { listening in
      let invitation = try await listening.invitation(to: id)
      for origin in ["https://evil.example", "http://127.0.0.1", "null"] {
        let client = try await WebSocketClient(
          port: listening.port, protocols: invitation.protocols, headers: ["Origin": origin])
        #expect(client.status == 403)
      }
      let client = try await WebSocketClient(
        port: listening.port, protocols: invitation.protocols,
        headers: ["Origin": "http://127.0.0.1:\(listening.port)"])
      #expect(client.status == 101)
    }
  }

  @Test("What is no WebSocket is told so, and everything else is served as ever")
  func notUpgraded() async throws {
    let api = try await TestAPI.make()
    try await ListeningAPI.with(api) { listening in
      for (head, status) in [
        ("GET /console/websocket HTTP/1.1\r\nHost: a\r\n\r\n", "426"),
        ("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", "200"),
        ("GET /console/other HTTP/1.1\r\nHost: a\r\n\r\n", "404"),
        ("POST /console/websocket HTTP/1.1\r\nHost: a\r\n\r\n", "404"),
        ("GARBAGE\r\n\r\n", "400"), ("GET /console/websocket GARBAGE\r\n\r\n", "400"),
      ] {
        let socket = try BlockingSocket(port: listening.port)
        // In pieces, as a slow client sends it.
        for byte in head.utf8 { try await socket.write([byte]) }
        #expect(String(decoding: try await socket.read(12), as: UTF8.self) == "HTTP/1.1 \(status)", "\(head)")
      }
      #expect(listening.api.service.consoles.openCount == 0)
    }
  }

  @Test(
    "It ends with the machine, with the token, with the service, and where the client does not keep to the protocol")
  func ends() async throws {
    let api = try await TestAPI.make()
    let id = try await api.activeServer()
    try await ListeningAPI.with(api) { listening in
      func open(token: String? = nil) async throws -> WebSocketClient {
        let invitation = try await listening.invitation(to: id, token: token)
        let client = try await WebSocketClient(port: listening.port, protocols: invitation.protocols)
        _ = try await client.read(12)
        return client
      }
      let (caller, token) = try await api.service.newToken(of: api.service.owner.accountID, permissions: [.everything])
      let revoked = try await open(token: token.text)
      _ = try await api.service.store.revokeToken(caller.tokenID, at: api.service.clock.now)
      api.service.changes.tell(ID(Int64(id)))
      await #expect(throws: RFBClient.Ended.self) { try await revoked.read(1) }
      #expect(revoked.closeCode == 1001)

      // A text, what is not masked, and each of the reserved bits.
      for (opcode, isMasked) in [(UInt8(1), true), (2, false), (64 | 2, true), (32 | 2, true), (16 | 2, true)] {
        let misused = try await open()
        try await misused.send(Array("hello".utf8), opcode: opcode, isMasked: isMasked)
        await #expect(throws: RFBClient.Ended.self) { try await misused.read(1) }
        #expect(misused.closeCode == 1002)
      }

      let off = try await open()
      let uuid = try #require(try await api.service.store.server(ID(Int64(id)))?.uuid)
      try await api.service.driver.powerOff(uuid)
      await #expect(throws: RFBClient.Ended.self) { try await off.read(1) }
      #expect(off.closeCode == 1000)
      try await api.service.driver.start(uuid)

      let last = try await open()
      api.service.changes.end()
      await #expect(throws: RFBClient.Ended.self) { try await last.read(1) }
      #expect(last.closeCode == 1001)
    }
  }

  @Test("A client that is not heard of for 90 seconds is let go")
  func silence() async throws {
    let api = try await TestAPI.make()
    let id = try await api.activeServer()
    try await ListeningAPI.with(api) { listening in
      let protocols = try await listening.invitation(to: id).protocols
      let client = try await WebSocketClient(port: listening.port, protocols: protocols)
      for _ in 1...3 {
        // One looks after the client, one after the ticket.
        await api.service.clock.whenSleeping(2)
        api.service.clock.advance(by: .seconds(30))
      }
      await #expect(throws: RFBClient.Ended.self) { try await client.read(13) }
      #expect(client.closeCode == 1001)
    }
  }

  @Test("Clients that go away without a word leave their places to others")
  func abruptEnd() async throws {
    let api = try await TestAPI.make()
    let id = try await api.activeServer()
    try await ListeningAPI.with(api) { listening in
      func openOne() async throws -> WebSocketClient {
        let protocols = try await listening.invitation(to: id).protocols
        return try await WebSocketClient(port: listening.port, protocols: protocols)
      }
      var clients: [WebSocketClient] = []
      for _ in 1...4 { clients.append(try await openOne()) }
      #expect(clients.allSatisfy { $0.status == 101 })
      let fifth = try await api.send(.post, "/servers/\(id)/console/")
      #expect(fifth.status == 409)
      clients = []
      let deadline = ContinuousClock.now + .seconds(90)
      while api.service.consoles.openCount > 0, ContinuousClock.now < deadline { await Task.yield() }
      #expect(api.service.consoles.openCount == 0)
      expectEqual(try await openOne().status, 101)
    }
  }

  // MARK: Its page

  @Test("The page and noVNC's scripts are served with their types, and nothing else of the host")
  func page() async throws {
    try await withTemporaryFolder { folder in
      let noVNC = folder.appendingPathComponent("novnc", isDirectory: true)
      for (name, text) in [
        ("core/rfb.js", "export default 1;"), ("core/input/keyboard.js", "2"), ("vendor/pako/lib/x.js", "3"),
        ("core/secret.txt", "secret"), ("app/ui.js", "4"), ("../secret.js", "secret"),
      ] {
        let file = noVNC.appendingPathComponent(name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
      }
      let api = TestAPI(try await TestService(), noVNC: noVNC)
      for (path, type, text) in [
        ("/", "text/html; charset=utf-8", "console.js"), ("/console.css", "text/css; charset=utf-8", "#screen"),
        ("/console.js", "text/javascript; charset=utf-8", "./novnc/core/rfb.js"),
        ("/novnc/core/rfb.js", "text/javascript; charset=utf-8", "export default 1;"),
        ("/novnc/core/input/keyboard.js", "text/javascript; charset=utf-8", "2"),
        ("/novnc/vendor/pako/lib/x.js", "text/javascript; charset=utf-8", "3"),
      ] {
        let reply = try await api.send(.get, "//console" + path, token: "")
        #expect(reply.status == 200)
        #expect(reply.headers[.contentType] == type)
        #expect(reply.text.contains(text))
        #expect(reply.headers[.xContentTypeOptions] == "nosniff")
        let policy = try #require(reply.headers[.contentSecurityPolicy])
        #expect(policy.contains("default-src 'none'; script-src 'self'"))
        #expect(policy.contains("connect-src 'self' ws://127.0.0.1 wss://127.0.0.1;"))
        let tag = try #require(reply.headers[.eTag])
        let unchanged = try await api.send(.get, "//console" + path, token: "", headers: [.ifNoneMatch: tag])
        #expect(unchanged.status == 304)
        #expect(unchanged.text.isEmpty)
      }
      for path in [
        "/novnc/core/secret.txt", "/novnc/app/ui.js", "/novnc/../secret.js", "/novnc/core/../../secret.js",
        "/novnc/core/%2e%2e/%2e%2e/secret.js", "/novnc/core/", "/novnc/core//rfb.js", "/etc/passwd", "//etc/passwd",
      ] {
        #expect(try await api.send(.get, "//console" + path, token: "").status == 404, "\(path)")
      }
    }
  }

  @Test("Where noVNC is not installed, the page says so, and consoles work without it")
  func notInstalled() async throws {
    let api = try await TestAPI.make()
    let page = try await api.send(.get, "//console/", token: "")
    #expect(page.status == 503)
    #expect(page.text.contains("is not installed here"))
    let id = try await api.activeServer()
    expectEqual(try await api.send(.post, "/servers/\(id)/console/").status, 201)
  }
}
