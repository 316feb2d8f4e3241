import Core
import Engine
import Foundation
import HTTPTypes
import TestSupport
import Testing

@testable import API

/// Texts that are expensive to compare, that do not end, and that a terminal obeys, in every place that takes a text.
@Suite("Hostile texts", .timeLimit(.minutes(15)))
struct HostileTextTests {
  /// One letter with marks whose classes alternate: what puts them in their normal order, as `String` does before it compares,
  /// takes minutes for a megabyte of them, and no second for all that reads them once.
  static func marks(_ bytes: Int) -> String { "a" + String(repeating: "\u{345}\u{334}", count: (bytes - 1) / 4) }

  /// Long enough for a machine that does much else, too short for quadratic time. `make bench-hostile` is finer.
  private static let patience = Duration.seconds(60)

  private static let controls = [
    "\u{1B}[31m", "\n", "\r", "\t", "\u{7F}", "\u{9B}", "\u{85}", "\u{2028}", "\u{2029}", "\u{202E}", "\u{2066}",
    "\u{200F}", "\u{61C}",
  ]

  // MARK: Fields of bodies

  /// Every field of every documented body: what is sent as its value, alone.
  private func eachField(
    _ body: (APIDescription.Operation, HTTPRequest.Method, _ field: String, _ isList: Bool) async throws -> Void
  ) async throws {
    let document = try APIDescription()
    for operation in document.operations {
      guard let name = operation.bodySchema else { continue }
      let properties = try document.schema(named: name)["properties"] as? [String: [String: Any]] ?? [:]
      for (field, schema) in properties.sorted(by: { $0.key < $1.key }) {
        try await body(
          operation, try #require(HTTPRequest.Method(operation.method)), field, schema["type"] as? String == "array")
      }
    }
  }

  private func routes() async throws -> EveryRoute { try await EveryRoute.make() }

  private func path(_ operation: APIDescription.Operation) -> String {
    operation.path.replacingOccurrences(of: "{id}", with: operation.path.contains("operating-systems") ? "3" : "1")
  }

  @Test("A megabyte of combining marks in any field is a short 400 that names the field, at once, and changes nothing")
  func endless() async throws {
    let routes = try await routes()
    let before = try await routes.everything()
    let text = Self.marks(1_000_000)
    try await eachField { operation, method, field, isList in
      let body = isList ? #"{"\#(field)": ["\#(text)"]}"# : #"{"\#(field)": "\#(text)"}"#
      var reply: TestAPI.Reply?
      let took = try await ContinuousClock().measure {
        reply = try await routes.api.send(method, path(operation), body)
      }
      #expect(reply?.status == 400, "\(operation.name): \(field)")
      #expect(try reply?.json[field] != nil, "\(operation.name): \(field)")
      #expect(reply.map { $0.text.utf8.count < 4096 } == true, "\(operation.name): \(field)")
      #expect(took < Self.patience, "\(operation.name): \(field)")
    }
    #expect(try await routes.everything() == before)
  }

  @Test("A megabyte of combining marks as the name of a field, once and twice, costs no more than to be read")
  func names() async throws {
    let routes = try await routes()
    let text = Self.marks(300_000)
    let took = try await ContinuousClock().measure {
      for endpoint in routes.endpoints where endpoint.takesBody {
        _ = try await routes.send(endpoint, endpoint.path(with: "999"), #"{"\#(text)": 1, "\#(text)": 2}"#)
      }
      let reply = try await routes.api.send(.post, "/servers/", #"{"\#(text)": 1, "\#(text)x": {"\#(text)": 3}}"#)
      #expect(reply.status == 400)
    }
    #expect(took < Self.patience * 3)
  }

  @Test("What a terminal obeys is in no reply, and a 400 for every field")
  func controls() async throws {
    let routes = try await routes()
    let before = try await routes.everything()
    try await eachField { operation, method, field, isList in
      for control in Self.controls {
        let value: Any = isList ? ["a\(control)b"] : "a\(control)b"
        let body = try JSONSerialization.data(withJSONObject: [field: value])
        let reply = try await routes.api.send(method, path(operation), bytes: Array(body))
        // Spaces are allowed around a key and in its comment, and this is none.
        #expect(reply.status == 400, "\(operation.name): \(field)")
        #expect(try reply.json[field] != nil, "\(operation.name): \(field)")
        #expect(!reply.text.hasControl, "\(operation.name): \(field)")
      }
    }
    #expect(try await routes.everything() == before)
  }

  @Test("A name with a control character is told the rule, and one in any script is taken")
  func rule() async throws {
    let api = try await TestAPI.make()
    func name(_ text: String) async throws -> TestAPI.Reply {
      let body = try JSONSerialization.data(withJSONObject: ["name": text, "permissions": ["*:*"]])
      return try await api.send(.post, "/tokens/", bytes: Array(body))
    }
    let message = "Control characters, line separators and marks of text direction are not allowed."
    for control in Self.controls {
      #expect(try await name("a\(control)b").text == #"{"name":["\#(message)"]}"#)
    }
    for text in ["Jürgen", "имя", "名前", "اسم", "שם", "👩‍👩‍👧", "a\u{308}", "soft\u{AD}hyphen"] {
      let made = try await name(text)
      #expect(made.status == 201)
      #expect(try made.json["name"] as? String == text)
    }
  }

  @Test("A limit counts Unicode scalars: a letter with 254 marks is as long as a name may be")
  func length() async throws {
    let api = try await TestAPI.make()
    for (path, form, field) in [
      ("/tokens/", #"{"permissions": ["*:*"], "name": "%"}"#, "name"),
      ("/backups/", #"{"server_id": 1, "description": "%"}"#, "description"),
      ("/servers/1/backup/", #"{"label": "%"}"#, "label"),
    ] {
      _ = try await api.activeServer()
      for (text, status) in [
        (Self.marks(509), 201), (Self.marks(513), 400), (String(repeating: "👍", count: 255), 201),
        (String(repeating: "👍", count: 256), 400), (String(repeating: "🇧🇬", count: 128), 400),
      ] {
        let reply = try await api.send(.post, path, form.replacing("%", with: text))
        #expect(reply.status == status, "\(path) \(text.unicodeScalars.count)")
        guard status == 400 else { continue }
        #expect(reply.text == #"{"\#(field)":["Ensure this field has no more than 255 characters."]}"#)
      }
    }
  }

  // MARK: Queries

  @Test("Any parameter of any query is bounded, and an answer about it is short and harmless")
  func queries() async throws {
    let routes = try await routes()
    let document = try APIDescription()
    var count = 0
    for operation in document.operations {
      for name in operation.queryParameters {
        count += 1
        for text in [Self.marks(10_000), Self.marks(1000), "\u{1B}]0;x\u{7}\u{202E}"] {
          let escaped = text.utf8.map { "%" + String($0, radix: 16) }.joined()
          var reply: TestAPI.Reply?
          let took = try await ContinuousClock().measure {
            reply = try await routes.api.send(.get, "\(path(operation))?\(name)=\(escaped)")
          }
          #expect(reply.map { [200, 400, 404].contains($0.status) } == true, "\(operation.name): \(name)")
          #expect(reply?.status != 200 || text.utf8.count < 10_000, "\(operation.name): \(name)")
          #expect(reply.map { $0.status == 200 || $0.text.utf8.count < 4096 } == true, "\(operation.name): \(name)")
          #expect(
            reply.map { !$0.text.hasControl } == true, "\(operation.name): \(name)")
          #expect(took < Self.patience, "\(operation.name): \(name)")
        }
      }
    }
    #expect(count > 30)
  }

  // MARK: What is stored

  @Test("Names that are stored with what a terminal obeys, by an earlier version, are escaped in every reply")
  func stored() async throws {
    let api = try await TestAPI.make()
    let name = "ci\u{1B}[2J\u{9B}\u{202E}\u{2028}\n"
    let (_, token) = try await api.service.newToken(
      of: api.service.owner.accountID, permissions: [.everything], name: name)
    for path in ["/tokens/", "/tokens/2/", "/account/me/"] {
      let reply = try await api.send(.get, path, token: token.text)
      #expect(!reply.text.hasControl)
      #expect(reply.text.contains(#"ci\u001b[2J\u009b\u202e\u2028\n"#))
    }
    #expect(
      try await (api.send(.get, "/account/me/", token: token.text).json["token"] as? [String: Any])?["name"] as? String
        == name)
  }

  @Test("A list of expensive names is ordered by their bytes, at once")
  func ordered() async throws {
    let api = try await TestAPI.make()
    for number in (10..<30).reversed() {
      _ = try await api.service.newToken(
        of: api.service.owner.accountID, permissions: [.everything], name: Self.marks(30_000) + "\(number)")
    }
    var reply: TestAPI.Reply?
    let took = try await ContinuousClock().measure {
      reply = try await api.send(.get, "/tokens/?ordering=name&page_size=21")
    }
    let results = try #require(try reply?.json["results"] as? [[String: Any]])
    #expect(
      results.compactMap { ($0["name"] as? String)?.utf8.suffix(2) }.dropLast().map {
        String(decoding: $0, as: UTF8.self)
      } == (10..<30).map { "\($0)" })
    #expect(took < Self.patience)
  }
}

/// What comes before a request is one: through real sockets.
@Suite("Hostile heads", .serialized, .timeLimit(.minutes(15)))
struct HostileHeadTests {
  private static let text = HostileTextTests.marks(15_000)

  @Test("No header that the service reads may be anything but ASCII, on any path, and whoever sends one is told which")
  func headers() async throws {
    try await ListeningAPI.with(try await TestAPI.make()) { service in
      // Those that carry the request itself are refused before there is a head.
      let framing: Set = ["content-length", "transfer-encoding"]
      for path in ["/api/v1/servers/", "/console/websocket"] {
        for name in PlainHeads.names.sorted() {
          let client = try await RawClient(port: service.port)
          client.send("GET \(path) HTTP/1.1\r\nHost: x\r\n\(name): \(Self.text)\r\n\r\n")
          #expect(await client.receive(until: "HTTP/1.1 400 Bad Request\r\n"), "\(name) of \(path)")
          guard !framing.contains(name) else { continue }
          #expect(
            await client.receive(until: #"{"detail":"The \#(name) header must be ASCII."}"#), "\(name) of \(path)")
          #expect(await client.ends(), "\(name) of \(path)")
        }
      }
    }
  }

  @Test("Headers that nobody reads may be anything")
  func otherHeaders() async throws {
    try await ListeningAPI.with(try await TestAPI.make()) { service in
      for name in ["User-Agent", "Cookie", "X-Anything", "Referer"] {
        let client = try await RawClient(port: service.port)
        client.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\(name): \(Self.text)\r\nConnection: close\r\n\r\n")
        #expect(await client.receive(until: #"{"status":"ok"}"#), "\(name)")
      }
    }
  }

  @Test("A path that is not ASCII is refused wherever it would lead, and so is a query")
  func paths() async throws {
    try await ListeningAPI.with(try await TestAPI.make()) { service in
      for path in [
        "/", "/api/v1/servers/", "/api/v1/servers/?name=", "/api/v1/servers/?", "/console/", "/console/websocket?", "",
      ] {
        let client = try await RawClient(port: service.port)
        client.send("GET \(path)\(Self.text) HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(await client.receive(until: "HTTP/1.1 400 Bad Request\r\n"), "\(path)")
      }
    }
  }

  @Test("What was asked before on the same connection is answered before the refusal, and nothing after it")
  func order() async throws {
    try await ListeningAPI.with(try await TestAPI.make()) { service in
      let client = try await RawClient(port: service.port)
      let good = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
      client.send(good + good + "GET /healthz HTTP/1.1\r\nHost: x\r\nAccept: é\r\n\r\n" + good)
      #expect(await client.receive(until: "The Accept header must be ASCII."))
      #expect(await client.ends())
      let statuses = client.received.matches(of: /HTTP\/1\.1 (\d+)/).map { String($0.1) }
      #expect(statuses == ["200", "200", "400"])
      #expect(client.received.contains("X-Request-ID: "))
    }
  }
}
