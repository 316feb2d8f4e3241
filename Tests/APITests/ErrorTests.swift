import Core
import Engine
import Foundation
import HTTPTypes
import SimulatedDriver
import TestSupport
import Testing

@Suite("Bad requests get a clear answer and change nothing")
struct ErrorTests {
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
    api.service.driver.configure { $0.condition = .isDead }
    await api.service.monitor.pollOnce()
    api.service.clock.advance(by: .seconds(31))
    await api.service.monitor.pollOnce()
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
