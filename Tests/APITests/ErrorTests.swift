import Core
import Engine
import Foundation
import HTTPTypes
import SimulatedDriver
import TestSupport
import Testing

@Suite("Bad requests get a clear answer and change nothing")
struct ErrorTests {
  private static let routes: [(HTTPRequest.Method, String)] = [
    (.get, "/servers/"), (.post, "/servers/"), (.get, "/servers/1/"), (.put, "/servers/1/"), (.patch, "/servers/1/"),
    (.delete, "/servers/1/"), (.post, "/servers/1/start/"), (.post, "/servers/1/stop/"),
    (.post, "/servers/1/reboot/"), (.get, "/ssh-keys/"), (.post, "/ssh-keys/"), (.get, "/ssh-keys/1/"),
    (.delete, "/ssh-keys/1/"), (.get, "/plans/"), (.get, "/plans/1/"), (.get, "/operating-systems/"),
    (.get, "/operating-systems/3/"), (.get, "/locations/"), (.get, "/locations/1/"),
    (.post, "/servers/1/power/"), (.post, "/servers/1/resize/"), (.post, "/servers/1/rebuild/"),
    (.get, "/servers/1/operations/"), (.get, "/tokens/"), (.post, "/tokens/"), (.get, "/tokens/1/"),
    (.delete, "/tokens/1/"), (.get, "/events/"),
    (.get, "/backups/"), (.post, "/backups/"), (.get, "/backups/1/"), (.delete, "/backups/1/"),
    (.post, "/backups/1/restore/"), (.get, "/snapshots/"), (.post, "/snapshots/"), (.get, "/snapshots/1/"),
    (.delete, "/snapshots/1/"), (.post, "/snapshots/1/restore/"), (.post, "/servers/1/backup/"),
    (.post, "/servers/1/snapshot/"),
  ]

  @Test("Without a token, every route says so", arguments: routes)
  func unauthenticated(method: HTTPRequest.Method, path: String) async throws {
    let api = try await TestAPI.make()
    let none = try await api.send(method, path, token: "")
    #expect(none.status == 401)
    #expect(none.headers[.wwwAuthenticate] == "Bearer")
    #expect(none.text == #"{"detail":"Authentication credentials were not provided."}"#)
    let basic = try await api.send(method, path, headers: [.authorization: "Basic abc"])
    #expect(basic.status == 401)
    #expect(basic.text == none.text)
    let empty = try await api.send(method, path, headers: [.authorization: "Bearer "])
    #expect(empty.status == 401)
    #expect(empty.text == #"{"detail":"Invalid token header. No credentials provided."}"#)
    let unknown = try await api.send(method, path, token: "YOUR_API_TOKEN")
    #expect(unknown.status == 401)
    #expect(unknown.text == #"{"detail":"Invalid token."}"#)
  }

  @Test("Without the permission, every route refuses, whatever else is wrong", arguments: routes)
  func forbidden(method: HTTPRequest.Method, path: String) async throws {
    let api = try await TestAPI.make()
    let (_, token) = try await api.service.newToken(
      of: api.service.owner.accountID, permissions: [Permission("account:*")!])
    let reply = try await api.send(method, path, "no JSON", token: token.text)
    #expect(reply.status == 403)
    #expect(reply.text == #"{"detail":"You do not have permission to perform this action."}"#)
  }

  @Test("A token that may read cannot write")
  func readOnly() async throws {
    let api = try await TestAPI.make()
    let (_, token) = try await api.service.newToken(
      of: api.service.owner.accountID, permissions: [Permission("servers:read")!])
    #expect(try await api.send(.get, "/servers/", token: token.text).status == 200)
    #expect(try await api.send(.get, "/plans/", token: token.text).status == 200)
    #expect(try await api.send(.post, "/servers/", "{}", token: token.text).status == 403)
    #expect(try await api.send(.get, "/ssh-keys/", token: token.text).status == 403)
  }

  @Test(
    "A wrong method is a 405 that names the right ones",
    arguments: [
      (HTTPRequest.Method.delete, "/servers/", "GET, HEAD, POST"),
      (.post, "/servers/1/", "GET, HEAD, PUT, PATCH, DELETE"), (.get, "/servers/1/start/", "POST"),
      (.put, "/plans/", "GET, HEAD"), (HTTPRequest.Method("FOO")!, "/servers/", "GET, HEAD, POST"),
    ])
  func wrongMethod(method: HTTPRequest.Method, path: String, allow: String) async throws {
    let api = try await TestAPI.make()
    let reply = try await api.send(method, path)
    #expect(reply.status == 405)
    #expect(reply.headers[.allow] == allow)
    #expect(reply.text == #"{"detail":"Method \"\#(method.rawValue)\" not allowed."}"#)
    #expect(try await api.send(method, path, token: "").status == 401)
  }

  @Test(
    "What is not there is not found",
    arguments: [
      "/servers/99/", "/servers/0/", "/servers/-1/", "/servers/abc/", "/servers/12345678901234567890123456/",
      "/servers/%00/", "/nothing/", "/plans/99/", "/ssh-keys/99/", "/locations/99/", "/operating-systems/4/",
    ])
  func notFound(path: String) async throws {
    let api = try await TestAPI.make()
    let reply = try await api.send(.get, path)
    #expect(reply.status == 404)
    #expect(reply.text == #"{"detail":"Not found."}"#)
  }

  @Test("Another account's server and key cannot be told from ones that do not exist")
  func anothers() async throws {
    let api = try await TestAPI.make()
    let id = try await api.activeServer()
    let (_, token) = try await api.service.newCaller()
    for (method, path, body) in [
      (HTTPRequest.Method.get, "", nil), (.put, "", "{}"), (.patch, "", "no JSON"), (.delete, "", nil),
      (.post, "start/", nil), (.post, "stop/", nil), (.post, "reboot/", nil),
      (.post, "resize/", "{}"), (.post, "rebuild/", nil),
    ] {
      let there = try await api.send(method, "/servers/\(id)/\(path)", body, token: token.text)
      let nowhere = try await api.send(method, "/servers/999/\(path)", body, token: token.text)
      #expect(there.status == 404)
      #expect(there.text == nowhere.text)
    }
    #expect(try await api.send(.get, "/servers/", token: token.text).text == #"{"count":0,"results":[]}"#)
  }

  @Test("Everything that is wrong with a create is said at once, field by field")
  func allFields() async throws {
    let api = try await TestAPI.make()
    let empty = try await api.send(.post, "/servers/", "{}")
    #expect(empty.status == 400)
    let required = #"["This field is required."]"#
    #expect(
      empty.text == #"{"name":\#(required),"plan_id":\#(required),"os_id":\#(required),"location":\#(required)}"#)
    let wrong = try await api.send(
      .post, "/servers/",
      #"""
      {"name": "-a", "plan_id": 99, "os_id": "x", "location": "mars", "hostname": "a..b", "ssh_key_id": 7,
      "backups_enabled": "maybe"}
      """#)
    #expect(
      wrong.text
        == #"{"name":["Enter a valid value."],"plan_id":["Invalid pk \"99\" - object does not exist."],"#
        + #""os_id":["A valid integer is required."],"location":["\"mars\" is not a valid choice."],"#
        + #""hostname":["Enter a valid value."],"ssh_key_id":["Invalid pk \"7\" - object does not exist."],"#
        + #""backups_enabled":["Must be a valid boolean."]}"#)
    #expect(try await api.service.store.allServers().isEmpty)
  }

  @Test(
    "A field's rule is named",
    arguments: [
      (#""name": null"#, "name", "This field may not be null."),
      (#""name": """#, "name", "This field may not be blank."),
      (#""name": "  ""#, "name", "This field may not be blank."),
      (#""name": 7"#, "name", "Not a valid string."),
      (#""name": "a b""#, "name", "Enter a valid value."),
      (#""name": "a\u0000b""#, "name", "Null characters are not allowed."),
      (
        #""name": "\#(String(repeating: "a", count: 65))""#, "name", "Ensure this field has no more than 64 characters."
      ),
      (#""plan_id": true"#, "plan_id", "A valid integer is required."),
      (#""plan_id": 1.5"#, "plan_id", "A valid integer is required."),
      (#""plan_id": 99999999999999999999999999"#, "plan_id", "A valid integer is required."),
      (#""plan_id": null"#, "plan_id", "This field may not be null."),
      (#""location": ["us-west"]"#, "location", "Not a valid string."),
      (#""hostname": "-a.example.com""#, "hostname", "Enter a valid value."),
      (#""hostname": "1.2.3.4""#, "hostname", "Enter a valid value."),
      (#""backups_enabled": null"#, "backups_enabled", "This field may not be null."),
    ])
  func rules(field: String, name: String, message: String) async throws {
    let api = try await TestAPI.make()
    let valid = [
      "name": #""name": "a""#, "plan_id": #""plan_id": 3"#, "os_id": #""os_id": 3"#,
      "location": #""location": "us-west""#,
    ]
    let others = valid.filter { $0.key != name }.map(\.value)
    let reply = try await api.send(.post, "/servers/", "{" + (others + [field]).joined(separator: ",") + "}")
    #expect(reply.status == 400)
    #expect(try reply.json.count == 1)
    #expect(try reply.json[name] as? [String] == [message])
    #expect(try await api.service.store.allServers().isEmpty)
  }

  @Test(
    "A body that is no object of JSON is refused",
    arguments: [
      ("[]", #"{"non_field_errors":["Invalid data. Expected a dictionary, but got list."]}"#),
      ("7", #"{"non_field_errors":["Invalid data. Expected a dictionary, but got int."]}"#),
      ("{", #"{"detail":"JSON parse error - the body is not valid JSON."}"#),
      ("{\"name\": \"\u{1}\"}", #"{"detail":"JSON parse error - the body is not valid JSON."}"#),
      (
        String(repeating: "[", count: 100_000),
        #"{"detail":"JSON parse error - the document is nested too deeply."}"#
      ),
    ])
  func noObject(body: String, expected: String) async throws {
    let api = try await TestAPI.make()
    let reply = try await api.send(.post, "/servers/", body)
    #expect(reply.status == 400)
    #expect(reply.text == expected)
  }

  @Test("Media types other than JSON, bodies that are too large and clients that take no JSON are refused")
  func mediaTypes() async throws {
    let api = try await TestAPI.make()
    let form = try await api.send(
      .post, "/servers/", "name=a", headers: [.contentType: "application/x-www-form-urlencoded"])
    #expect(form.status == 415)
    #expect(
      form.text == #"{"detail":"Unsupported media type \"application/x-www-form-urlencoded\" in request."}"#)
    let large = try await api.send(.post, "/servers/", String(repeating: " ", count: 1 << 20 + 1))
    #expect(large.status == 413)
    #expect(large.text == #"{"detail":"Request body too large."}"#)
    let html = try await api.send(.get, "/servers/", headers: [.accept: "text/html"])
    #expect(html.status == 406)
    #expect(try await api.send(.get, "/servers/", headers: [.accept: "text/html, */*;q=0.1"]).status == 200)
    let charset = try await api.send(
      .post, "/servers/", "{}", headers: [.contentType: "application/json; charset=utf-8"])
    #expect(charset.status == 400)
  }

  @Test("An action in the wrong state says which state that is")
  func wrongState() async throws {
    let api = try await TestAPI.make()
    let id = try await api.createServer()
    for action in ["start", "stop", "reboot"] {
      let reply = try await api.send(.post, "/servers/\(id)/\(action)/")
      #expect(reply.status == 400)
      #expect(reply.text == #"{"detail":"Server is provisioning."}"#)
    }
    try await api.service.settle()
    #expect(
      try await api.send(.post, "/servers/\(id)/start/").text == #"{"detail":"Server is already running."}"#)
    _ = try await api.send(.post, "/servers/\(id)/stop/")
    #expect(try await api.send(.post, "/servers/\(id)/stop/").text == #"{"detail":"Server is stopping."}"#)
    try await api.service.settle()
    #expect(try await api.send(.post, "/servers/\(id)/stop/").text == #"{"detail":"Server is not running."}"#)
    #expect(try await api.send(.post, "/servers/\(id)/reboot/").text == #"{"detail":"Server is not running."}"#)
  }

  @Test("An action accepts no body, an empty object and null, and nothing else")
  func actionBodies() async throws {
    let api = try await TestAPI.make()
    let id = try await api.activeServer()
    #expect(try await api.send(.post, "/servers/\(id)/stop/", "[]").status == 400)
    #expect(try await api.send(.post, "/servers/\(id)/stop/", "{").status == 400)
    #expect(try await api.send(.post, "/servers/\(id)/stop/", "null").status == 200)
    try await api.service.settle()
    #expect(try await api.send(.post, "/servers/\(id)/start/", "{}").status == 200)
  }

  @Test("Not enough credit is a 402 with price and balance")
  func credit() async throws {
    let api = TestAPI(try await TestService(openingCredit: Money(microunits: 1_000)))
    let reply = try await api.send(
      .post, "/servers/", #"{"name": "a", "plan_id": 3, "os_id": 3, "location": "us-west"}"#)
    #expect(reply.status == 402)
    let detail = try #require(try reply.json["detail"] as? String)
    #expect(detail.hasPrefix("Insufficient credits."))
    #expect(detail.contains("0.005") && detail.contains("0.001"))
  }

  @Test("No free address is a 503 that says when to come back")
  func noCapacity() async throws {
    let api = TestAPI(try await TestService(addressPool: AddressPool("127.80.0.0/30")!))
    _ = try await api.createServer()
    _ = try await api.createServer()
    let reply = try await api.send(
      .post, "/servers/", #"{"name": "a", "plan_id": 3, "os_id": 3, "location": "us-west"}"#)
    #expect(reply.status == 503)
    #expect(reply.headers[.retryAfter] != nil)
  }

  @Test("A host that does not answer is a 503, and nothing is promised on it")
  func silentHost() async throws {
    let api = try await TestAPI.make()
    api.service.driver.inject(Fault(in: .capacity, .fail(DriverError(.unreachable, "no answer"))))
    let reply = try await api.send(
      .post, "/servers/", #"{"name": "a", "plan_id": 3, "os_id": 3, "location": "us-west"}"#)
    #expect(reply.status == 503)
    #expect(reply.text == #"{"detail":"No capacity at us-west for this plan."}"#)
    #expect(try await api.service.store.allServers().isEmpty)
  }

  @Test("An unknown value of a filter names the choices")
  func filters() async throws {
    let api = try await TestAPI.make()
    _ = try await api.activeServer()
    #expect(try await api.send(.get, "/servers/?status=active&location=us-west").json["count"] as? Int == 1)
    #expect(try await api.send(.get, "/servers/?status=stopped").json["count"] as? Int == 0)
    #expect(try await api.send(.get, "/servers/?location=us-east").json["count"] as? Int == 0)
    #expect(try await api.send(.get, "/servers/?status=").json["count"] as? Int == 1)
    let unknown = try await api.send(.get, "/servers/?status=asleep&location=mars")
    #expect(unknown.status == 400)
    let status = try #require(try (unknown.json["status"] as? [String])?.first)
    #expect(status.contains("\"asleep\" is not a valid choice."))
    #expect(ServerStatus.allCases.allSatisfy { status.contains($0.rawValue) })
    #expect(try unknown.json["location"] != nil)
  }

  @Test("Every reply bears a request id: the caller's, if it is a sane one")
  func requestID() async throws {
    let api = try await TestAPI.make()
    let name = HTTPField.Name("X-Request-ID")!
    #expect(try await api.send(.get, "/servers/", headers: [name: "abc-1"]).headers[name] == "abc-1")
    #expect(try await api.send(.get, "/servers/", headers: [name: "a b"]).headers[name]?.count == 36)
    #expect(try await api.send(.get, "/nothing/", token: "").headers[name]?.count == 36)
  }
}
