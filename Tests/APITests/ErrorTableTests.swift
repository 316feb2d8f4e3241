import Core
import Engine
import Foundation
import HTTPTypes
import Hummingbird
import SimulatedDriver
import TestSupport
import Testing

@testable import API

/// The rows of the table of errors, each on every route that can meet it.
@Suite("The table of errors holds on every route")
struct ErrorTableTests {
  private struct Cause: Error, CustomStringConvertible {
    var description: String { "SELECT secret FROM /var/lib/vpsd" }
  }

  @Test(
    "An id that names nothing is not found",
    arguments: [
      "999999", "0", "-1", "+1", "1.0", "0x1", "abc", "12345678901234567890123456", "9223372036854775807", "%00", "%FF",
      "..%2F1", "%20", "7c9e6679-7425-40de-944b-e07fc1f90ae7", "7c9e6679742540de944be07fc1f90ae7",
    ])
  func notFound(id: String) async throws {
    let routes = try await EveryRoute.make()
    let document = try APIDescription()
    let before = try await routes.everything()
    for endpoint in routes.endpoints where endpoint.path.contains("{id}") {
      let body = try document.exampleBody(of: try #require(document.operation(endpoint.name)))
      let reply = try await routes.send(endpoint, endpoint.path(with: id), endpoint.takesBody ? body : nil)
      #expect(reply.status == 404, "\(endpoint.name): \(reply.text)")
      #expect(reply.text == #"{"detail":"Not found."}"#, "\(endpoint.name)")
    }
    #expect(try await routes.everything() == before)
  }

  @Test("Every field that is required and missing is named, in the order in which they are documented")
  func missingFields() async throws {
    let routes = try await EveryRoute.make()
    let document = try APIDescription()
    let before = try await routes.everything()
    for endpoint in routes.endpoints {
      guard let name = try #require(document.operation(endpoint.name)).bodySchema else { continue }
      let schema = try document.schema(named: name)
      let first = (schema["anyOf"] as? [[String: Any]])?.first?["required"] as? [String]
      guard let required = first ?? schema["required"] as? [String] else { continue }
      let reply = try await routes.send(endpoint, nil, "{}")
      let expected = required.map { #""\#($0)":["This field is required."]"# }.joined(separator: ",")
      #expect(reply.status == 400, "\(endpoint.name)")
      #expect(reply.text == "{\(expected)}", "\(endpoint.name)")
    }
    #expect(try await routes.everything() == before)
  }

  private static let notJSON = "JSON parse error - the body is not valid JSON at byte "
  private static let deep = "JSON parse error - the document is nested too deeply."

  @Test(
    "A body that is no object of JSON is refused, whatever it is",
    arguments: [
      ("{", "JSON parse error - the body ends too early."), ("{\"a\":", "JSON parse error - the body ends too early."),
      ("   ", "JSON parse error - the body ends too early."), ("{\"a\" 1}", notJSON + "6."),
      ("{\"name\": \"\u{1}\"}", notJSON + "11."), ("{\"a\": 01}", notJSON + "8."), ("{'a': 1}", notJSON + "2."),
      ("{\"a\": NaN}", notJSON + "7."), ("{\"a\": 1,}", notJSON + "9."), ("{} {}", notJSON + "4."),
      ("\u{FEFF}{}", notJSON + "1."), ("{\"a\": 1e999}", "JSON parse error - a number is too large."),
      ("{\"a\": \"\\ud800\"}", "JSON parse error - half of a surrogate pair stands alone."),
      ("{\"a\": \"\\udc00\\ud800\"}", "JSON parse error - half of a surrogate pair stands alone."),
      (String(repeating: "[", count: 100_000), deep), (String(repeating: "{\"a\":", count: 20_000), deep),
    ])
  func parseErrors(body: String, detail: String) async throws {
    try await expectRefusal(of: Array(body.utf8), #"{"detail":"\#(detail)"}"#)
  }

  @Test("A body that is no UTF-8 is refused")
  func invalidUTF8() async throws {
    let body = Array(#"{"name": ""#.utf8) + [0xC3, 0x28, 0xFF] + Array(#""}"#.utf8)
    try await expectRefusal(of: body, #"{"detail":"JSON parse error - a text is not valid UTF-8."}"#)
    try await expectRefusal(of: [0xFF, 0xFE, 0x7B, 0, 0x7D, 0], #"{"detail":"\#(Self.notJSON)1."}"#)
  }

  @Test(
    "A body that is JSON, and no object, is refused with its type",
    arguments: [("[]", "list"), ("7", "int"), ("7.5", "float"), ("\"a\"", "str"), ("true", "bool")])
  func noObject(body: String, type: String) async throws {
    try await expectRefusal(
      of: Array(body.utf8),
      #"{"non_field_errors":["Invalid data. Expected a dictionary, but got \#(type)."]}"#)
  }

  private func expectRefusal(of body: [UInt8], _ text: String) async throws {
    let routes = try await EveryRoute.make()
    let before = try await routes.everything()
    for endpoint in routes.endpoints where endpoint.takesBody {
      let reply = try await routes.api.send(endpoint.method, routes.path(of: endpoint), bytes: body)
      #expect(reply.status == 400, "\(endpoint.name): \(reply.text)")
      #expect(reply.text == text, "\(endpoint.name)")
    }
    #expect(try await routes.everything() == before)
  }

  @Test("No value of a field is more than the service can answer, and what it refuses changes nothing")
  func hostileValues() async throws {
    let routes = try await EveryRoute.make()
    let document = try APIDescription()
    var before = try await routes.everything()
    let values = [
      "null", "{}", "[]", "[[]]", "\"\"", "\" \"", "\"a\\u0000b\"", "\"\\u0000\"", "-1", "0", "1e300", "-0.0", "1.5",
      "99999999999999999999999999", "\"\(String(repeating: "a", count: 5_000))\"", "\"'; DROP TABLE server; --\"",
      "\"<script>\"", "\"\\u202e\"", "\"\u{1F600}\"", "\"../../etc/passwd\"", "[null]", "[{}]", "[1e300]",
    ]
    for endpoint in routes.endpoints {
      guard let name = try #require(document.operation(endpoint.name)).bodySchema else { continue }
      let fields = try document.schema(named: name)["properties"] as? [String: Any] ?? [:]
      var wasAccepted = false
      for field in fields.keys.sorted() where field != "permissions" {
        for value in values {
          // What is wrong twice is right nowhere: the second field makes sure that nothing comes of it.
          let other = field == "name" ? "hostname" : "name"
          let body = "{\"\(field)\": \(value), \"\(other)\": \"no good\\u0000\", \"action\": 7}"
          let reply = try await routes.send(endpoint, nil, body)
          // A description may say anything.
          wasAccepted = wasAccepted || (200..<300).contains(reply.status)
          #expect(reply.status < 500, "\(endpoint.name): \(field) \(value.prefix(40)): \(reply.status)")
        }
      }
      let after = try await routes.everything()
      #expect(wasAccepted || after == before, "\(endpoint.name)")
      before = after
    }
  }

  @Test("Of a field that comes twice the last one counts")
  func duplicateFields() async throws {
    let api = try await TestAPI.make()
    let id = try await api.createServer()
    let reply = try await api.send(.patch, "/servers/\(id)/", #"{"name": "first", "name": "second"}"#)
    #expect(try reply.json["name"] as? String == "second")
  }

  @Test("A method that a path does not have is a 405 that names those it has; without a token it is a 401 first")
  func wrongMethod() async throws {
    let routes = try await EveryRoute.make()
    let methods: [HTTPRequest.Method] = [
      .get, .head, .post, .put, .patch, .delete, .options, .trace, HTTPRequest.Method("FOO")!,
    ]
    let before = try await routes.everything()
    for (path, endpoints) in Dictionary(grouping: routes.endpoints, by: \.path) {
      let allowed = endpoints.flatMap { $0.method == .get ? [.get, .head] : [$0.method] }
      for method in methods where !allowed.contains(method) {
        let target = routes.path(of: endpoints[0])
        let reply = try await routes.api.send(method, target)
        #expect(reply.status == 405, "\(method) \(path)")
        #expect(reply.headers[.allow] == allowed.map(\.rawValue).joined(separator: ", "), "\(method) \(path)")
        // A reply to HEAD never has a body.
        let body = method == .head ? "" : #"{"detail":"Method \"\#(method.rawValue)\" not allowed."}"#
        #expect(reply.text == body, "\(method) \(path)")
        #expect(try await routes.api.send(method, target, token: "").status == 401, "\(method) \(path)")
      }
    }
    #expect(try await routes.everything() == before)
  }

  @Test("A client that does not take what a route answers with is told so, and nothing is done")
  func notAcceptable() async throws {
    let routes = try await EveryRoute.make()
    let before = try await routes.everything()
    for endpoint in routes.endpoints {
      for accept in ["text/html", "application/xml;q=1", "\(endpoint.mediaType);q=0", ",", "nonsense"] {
        let reply = try await routes.send(endpoint, headers: [.accept: accept])
        #expect(reply.status == 406, "\(endpoint.name): \(accept)")
        #expect(reply.text == #"{"detail":"Could not satisfy the request Accept header."}"#, "\(endpoint.name)")
      }
    }
    #expect(try await routes.everything() == before)
    for endpoint in routes.endpoints where endpoint.method == .get && !endpoint.isStream {
      for accept in ["", "*/*", "application/*", "APPLICATION/JSON", "text/html, */*;q=0.1", "application/json; v=1"] {
        #expect(
          try await routes.send(endpoint, headers: [.accept: accept]).status == 200, "\(endpoint.name): \(accept)")
      }
    }
  }

  @Test("A body of another media type is refused by its name")
  func unsupportedMediaType() async throws {
    let routes = try await EveryRoute.make()
    let before = try await routes.everything()
    for endpoint in routes.endpoints where endpoint.takesBody {
      for type in ["application/x-www-form-urlencoded", "text/plain", "application/jsonp", "multipart/form-data", "\""]
      {
        let reply = try await routes.send(endpoint, nil, "{}", headers: [.contentType: type])
        #expect(reply.status == 415, "\(endpoint.name): \(type)")
        let quoted = type.replacing("\"", with: "\\\"")
        #expect(
          reply.text == #"{"detail":"Unsupported media type \"\#(quoted)\" in request."}"#, "\(endpoint.name)")
      }
    }
    #expect(try await routes.everything() == before)
    for type in ["application/json; charset=utf-8", "APPLICATION/JSON", " application/json ;v=1"] {
      #expect(try await routes.api.send(.post, "/servers/", "{}", headers: [.contentType: type]).status == 400)
    }
  }

  @Test("By default a body of more than a mebibyte is refused, with and without an Idempotency-Key")
  func tooLarge() async throws {
    let routes = try await EveryRoute.make()
    let before = try await routes.everything()
    let body = String(repeating: " ", count: 1 << 20) + "{"
    for endpoint in routes.endpoints where endpoint.takesBody {
      for headers: HTTPFields in [[:], [HTTPField.Name("Idempotency-Key")!: "large"]] {
        let reply = try await routes.send(endpoint, nil, body, headers: headers)
        #expect(reply.status == 413, "\(endpoint.name)")
        #expect(reply.text == #"{"detail":"Request body too large."}"#, "\(endpoint.name)")
      }
    }
    #expect(try await routes.everything() == before)
  }

  @Test("One request too many is told when to come back")
  func throttled() async throws {
    let routes = EveryRoute(
      api: TestAPI(try await TestService(), limits: RequestLimits(requestsPerMinute: 1, loginFailuresPerMinute: 0)))
    #expect(try await routes.api.send(.get, "/account/me/").status == 200)
    let before = try await routes.everything()
    for endpoint in routes.endpoints {
      let reply = try await routes.send(endpoint, nil, endpoint.takesBody ? "no JSON" : nil)
      #expect(reply.status == 429, "\(endpoint.name)")
      #expect(reply.headers[.retryAfter] == "60", "\(endpoint.name)")
      #expect(reply.text == #"{"detail":"Request was throttled. Expected available in 60 seconds."}"#)
    }
    #expect(try await routes.everything() == before)
  }

  @Test("A fault of our own says nothing but that, and the name of the request")
  func internalError() async throws {
    let reply = ErrorTable.response(to: Cause(), requestID: "abc")
    #expect(reply.status == .internalServerError)
    let collector = TestAPI.Collector()
    try await reply.body.write(collector)
    #expect(collector.text == #"{"detail":"Internal server error.","request_id":"abc"}"#)
  }

  @Test("HEAD answers as GET does, without the body, and a path without its final slash as the one with it")
  func headAndSlash() async throws {
    let routes = try await EveryRoute.make()
    for endpoint in routes.endpoints where endpoint.method == .get && !endpoint.isStream {
      let path = routes.path(of: endpoint)
      let get = try await routes.api.send(.get, path, headers: [HTTPField.Name("X-Request-ID")!: "a"])
      #expect(get.status == 200, "\(endpoint.name)")
      let head = try await routes.api.send(.head, path, headers: [HTTPField.Name("X-Request-ID")!: "a"])
      #expect(head.status == 200 && head.text.isEmpty, "\(endpoint.name)")
      #expect(head.headers[.contentType] == get.headers[.contentType], "\(endpoint.name)")
      let short = try await routes.api.send(
        .get, String(path.dropLast()), headers: [HTTPField.Name("X-Request-ID")!: "a"])
      #expect(short.text == get.text && short.headers == get.headers, "\(endpoint.name)")
    }
    let events = try await routes.api.send(.head, "/events/")
    #expect(events.status == 200 && events.text.isEmpty)
  }
}
