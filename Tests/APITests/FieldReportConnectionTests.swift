import Core
import Engine
import Foundation
import HTTPTypes
import TestSupport
import Testing

/// What people have reported about other servers of HTTP and WebSockets, tried on our own listener. Where each comes from:
/// docs/field-reports.md.
@Suite("What went wrong on other connections goes well on ours")
struct FieldReportConnectionTests {
  private static let body = #"{"name": "a", "plan_id": 3, "os_id": 3, "location": "us-west"}"#
  private static let health = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
  private static let lastHealth = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

  /// All that the service says to this, until it closes.
  private func exchange(_ listening: ListeningAPI, _ text: String) async throws -> String {
    let socket = try BlockingSocket(port: listening.port)
    try await socket.write(Array(text.utf8))
    return String(decoding: try await socket.readToEnd(), as: UTF8.self)
  }

  private func statuses(_ answer: String) -> [String] {
    answer.components(separatedBy: "HTTP/1.1 ").dropFirst().map { String($0.prefix(3)) }
  }

  private func authorization(_ listening: ListeningAPI) -> String {
    "Host: x\r\nAuthorization: Bearer \(listening.api.service.token.text)\r\n"
  }

  @Test("The reply to HEAD ends with its head, whatever is wrong, so that the next one is read from its beginning")
  func head() async throws {
    let api = try await TestAPI.make()
    let id = try await api.activeServer()
    try await ListeningAPI.with(api) { listening in
      for (path, status) in [
        ("/nothing", "404"), ("/api/v1/nothing/", "404"), ("/api/v1/servers/\(id)/start/", "405"),
        ("/api/v1/servers/999/", "404"), ("/api/v1/servers/?status=x", "400"), ("/api/v1/servers/", "200"),
        ("/healthz", "200"), ("/docs", "200"), ("/api/v1/events/", "200"),
      ] {
        let answer = try await exchange(
          listening, "HEAD \(path) HTTP/1.1\r\n\(authorization(listening))\r\n\(Self.lastHealth)")
        #expect(statuses(answer) == [status, "200"], "\(path)")
        let afterHead = answer.range(of: "\r\n\r\n").map { answer[$0.upperBound...] } ?? ""
        #expect(afterHead.hasPrefix("HTTP/1.1 200"), "\(path)")
      }
      let stranger = try await exchange(listening, "HEAD /api/v1/x/ HTTP/1.1\r\nHost: x\r\n\r\n\(Self.lastHealth)")
      #expect(statuses(stranger) == ["401", "200"] && stranger.components(separatedBy: "{").count == 2)
    }
  }

  @Test("HEAD tells the length that GET has")
  func headLength() async throws {
    try await ListeningAPI.with(try await TestAPI.make()) { listening in
      for path in ["/api/v1/servers/", "/healthz", "/api/v1/servers/999/", "/nothing"] {
        var lengths: [String] = []
        for method in ["GET", "HEAD"] {
          let answer = try await exchange(
            listening, "\(method) \(path) HTTP/1.1\r\n\(authorization(listening))Connection: close\r\n\r\n")
          lengths += answer.components(separatedBy: "\r\n").filter { $0.lowercased().hasPrefix("content-length:") }
        }
        #expect(lengths.count == 2 && lengths.first == lengths.last, "\(path)")
      }
    }
  }

  @Test(
    "A request says which one host it is for; only HTTP/1.0 may leave it out",
    arguments: [
      ("1.1", "", "400"), ("1.1", "Host: a\r\nHost: b\r\n", "400"), ("1.1", "Host: a\r\nHost: a\r\n", "400"),
      ("1.1", "Host: a, b\r\n", "400"), ("1.1", "Host: a/b\r\n", "400"), ("1.1", "Host: a@b\r\n", "400"),
      ("1.1", "Host: a b\r\n", "400"), ("1.1", "Host: é\r\n", "400"), ("1.1", "Host: a\r\n", "200"),
      ("1.1", "Host: [::1]:8080\r\n", "200"), ("1.1", "hOST: vps.example.com:80\r\n", "200"),
      ("1.0", "", "200"), ("1.0", "Host: a\r\n", "200"), ("1.0", "Host: a\r\nHost: b\r\n", "400"),
    ])
  func host(version: String, fields: String, status: String) async throws {
    try await ListeningAPI.with(try await TestAPI.make()) { listening in
      let socket = try BlockingSocket(port: listening.port)
      try await socket.write(Array("GET /healthz HTTP/\(version)\r\n\(fields)Connection: close\r\n\r\n".utf8))
      #expect(String(decoding: try await socket.read(12).suffix(3), as: UTF8.self) == status)
    }
  }

  @Test("What is refused for its host is not carried out, and nothing that follows it either")
  func hostRefused() async throws {
    let api = try await TestAPI.make()
    try await ListeningAPI.with(api) { listening in
      let create =
        "POST /api/v1/servers/ HTTP/1.1\r\nHost: b\r\n\(authorization(listening))Content-Type: application/json\r\n"
        + "Content-Length: \(Self.body.utf8.count)\r\n\r\n\(Self.body)"
      let answer = try await exchange(listening, Self.health + create + Self.health)
      #expect(statuses(answer) == ["200", "400"])
      #expect(try await api.service.store.allServers().isEmpty)
    }
  }

  @Test(
    "A body whose length can be read in two ways is no body, and what stands in it is no request",
    arguments: [
      "Transfer-Encoding: chunked\r\nContent-Length: 5", "Content-Length: 5\r\nTransfer-Encoding: chunked",
      "Transfer-Encoding: xchunked", "Transfer-Encoding: chunked, identity\r\nContent-Length: 5",
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "Transfer-Encoding : chunked",
      "Transfer-Encoding:\u{0B}chunked", "Transfer-Encoding\r\n : chunked", "Content-Length: 5\r\nContent-Length: 6",
      "Content-Length: 5, 5", "Content-Length: +5", "Content-Length: 0x5", "Content-Length: -5",
      "Transfer-Encoding: chunked;q=1",
    ])
  func smuggling(fields: String) async throws {
    let api = try await TestAPI.make()
    let id = try await api.activeServer()
    try await ListeningAPI.with(api) { listening in
      let hidden = "DELETE /api/v1/servers/\(id)/ HTTP/1.1\r\n\(authorization(listening))\r\n"
      let answer = try await exchange(
        listening,
        "POST /api/v1/servers/\(id)/start/ HTTP/1.1\r\n\(authorization(listening))Content-Type: application/json\r\n"
          + "\(fields)\r\n\r\n0\r\n\r\n\(hidden)")
      #expect(statuses(answer) == ["400"])
      expectEqual(try await api.send(.get, "/servers/\(id)/").status, 200)
    }
  }

  @Test("Requests that are sent at once are answered one after the other, each as if it were alone")
  func pipelining() async throws {
    let api = try await TestAPI.make()
    let id = try await api.activeServer()
    try await ListeningAPI.with(api) { listening in
      let head = authorization(listening)
      let create =
        "POST /api/v1/servers/ HTTP/1.1\r\n\(head)Content-Type: application/json\r\n"
        + "Content-Length: \(Self.body.utf8.count)\r\n\r\n\(Self.body)"
      let answer = try await exchange(
        listening,
        "GET /api/v1/servers/\(id)/ HTTP/1.1\r\n\(head)\r\n" + create + Self.health
          + "GET /api/v1/nothing/ HTTP/1.1\r\n\(head)\r\nGARBAGE\r\n\r\n")
      #expect(statuses(answer) == ["200", "201", "200", "404", "400"])
      expectEqual(try await api.service.store.allServers().count, 2)
    }
  }

  @Test("A client that closes its own half and still listens gets its answer")
  func halfClosed() async throws {
    let api = try await TestAPI.make()
    try await ListeningAPI.with(api) { listening in
      let socket = try BlockingSocket(port: listening.port)
      try await socket.write(Array("GET /api/v1/servers/ HTTP/1.1\r\n\(authorization(listening))\r\n".utf8))
      socket.finishWriting()
      #expect(String(decoding: try await socket.read(12), as: UTF8.self) == "HTTP/1.1 200")
    }
  }

  @Test(
    "A client that would rather speak HTTP/2 is answered in HTTP/1.1, with its body read, and not left waiting after that"
  )
  func upgradeToHTTP2() async throws {
    let api = try await TestAPI.make()
    try await ListeningAPI.with(api) { listening in
      let offer = "Upgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n"
      let length = String(Self.body.utf8.count, radix: 16)
      for (framing, body) in [
        ("Content-Length: \(Self.body.utf8.count)", Self.body),
        ("Transfer-Encoding: chunked", "\(length)\r\n\(Self.body)\r\n0\r\n\r\n"),
      ] {
        let answer = try await exchange(
          listening,
          "POST /api/v1/servers/ HTTP/1.1\r\n\(authorization(listening))Content-Type: application/json\r\n"
            + "Connection: Upgrade, HTTP2-Settings\r\n\(offer)\(framing)\r\n\r\n\(body)\(Self.lastHealth)")
        #expect(statuses(answer) == ["201"])
      }
      expectEqual(try await api.service.store.allServers().count, 2)
    }
  }

  @Test(
    "JSON is JSON with a charset or in capitals, a GET may say anything of the body that it has not, and so may its scheme",
    arguments: [
      ("POST", "Content-Type: application/json; charset=utf-8", "Bearer", "201"),
      ("POST", "Content-Type: APPLICATION/JSON;charset=UTF-8", "bearer", "201"),
      ("POST", "Content-Type: text/json", "Bearer", "415"), ("GET", "Content-Type: text/plain", "BEARER ", "200"),
      ("GET", "Accept: text/html, application/xhtml+xml, */*;q=0.8", "Bearer", "200"),
      ("GET", "Accept: application/json;q=0", "Bearer", "406"), ("GET", "Accept: */*", "Basic", "401"),
    ])
  func mediaTypes(method: String, field: String, scheme: String, status: String) async throws {
    let api = try await TestAPI.make()
    try await ListeningAPI.with(api) { listening in
      let body = method == "POST" ? Self.body : ""
      let answer = try await exchange(
        listening,
        "\(method) /api/v1/servers/ HTTP/1.1\r\nHost: x\r\n\(field)\r\nConnection: close\r\n"
          + "Authorization: \(scheme) \(api.service.token.text)\r\n"
          + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
      #expect(statuses(answer) == [status])
    }
  }

  // MARK: Consoles

  @Test(
    "Of the subprotocols that a browser offers the known one is taken, wherever it stands and however they are written")
  func subprotocols() async throws {
    let api = try await TestAPI.make()
    let id = try await api.activeServer()
    try await ListeningAPI.with(api) { listening in
      for offer in ["foo, binary, ", "binary,", "binary, base64,\t"] {
        let ticket = try await listening.invitation(to: id).ticket
        let client = try await WebSocketClient(port: listening.port, protocols: "\(offer)ticket.\(ticket)")
        #expect(client.status == 101 && client.headers["sec-websocket-protocol"] == "binary", "\(offer)")
        #expect(client.headers["sec-websocket-extensions"] == nil)
      }
    }
  }

  @Test("Parts of a message come in order, with nothing but control frames between them")
  func fragments() async throws {
    try await withConsole { client in
      try await client.send(Array("RFB 003".utf8), opcode: 2, isLast: false)
      try await client.send(Array("ping".utf8), opcode: 9)
      try await client.send(Array(".008\n".utf8), opcode: 0)
      // The machine's answer to its version: one kind of security, none.
      expectEqual(try await client.read(2), [1, 1])
    }
    for frames in [[(UInt8(0), true)], [(2, false), (2, true)], [(9, false)]] {
      try await withConsole { client in
        for (opcode, isLast) in frames { try await client.send([1], opcode: opcode, isLast: isLast) }
        await #expect(throws: RFBClient.Ended.self) { try await client.read(1) }
        #expect(client.closeCode == 1002)
      }
    }
  }

  @Test(
    "A client that says goodbye is told so; with a reason that nobody may give it has made a mistake",
    arguments: [
      ([], 1000), ([3, 232], 1000), ([15, 160] + Array("bye".utf8), 1000), ([3, 238], 1002), ([3, 237], 1002),
      ([3, 231], 1002), ([3], 1002), ([3, 232, 255, 254], 1002),
    ] as [([UInt8], Int)])
  func closing(payload: [UInt8], code: Int) async throws {
    try await withConsole { client in
      try await client.send(payload, opcode: 8)
      await #expect(throws: RFBClient.Ended.self) { try await client.read(1) }
      #expect(client.closeCode == code)
    }
  }

  /// With a console of an active server that has said its version.
  private func withConsole(_ body: @escaping @Sendable (WebSocketClient) async throws -> Void) async throws {
    let api = try await TestAPI.make()
    let id = try await api.activeServer()
    try await ListeningAPI.with(api) { listening in
      let protocols = try await listening.invitation(to: id).protocols
      let client = try await WebSocketClient(port: listening.port, protocols: protocols)
      expectEqual(try await client.read(12), Array("RFB 003.008\n".utf8))
      try await body(client)
    }
  }
}
