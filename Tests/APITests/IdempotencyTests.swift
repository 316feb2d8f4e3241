import Core
import Engine
import Foundation
import HTTPTypes
import SimulatedDriver
import TestSupport
import Testing

@testable import SQLStore

@Suite("A request that is sent again with its key is carried out once")
struct IdempotencyTests {
  private static let keyHeader = HTTPField.Name("Idempotency-Key")!
  private static let replayed = HTTPField.Name("Idempotent-Replayed")!
  private static let body = #"{"name": "a", "plan_id": 3, "os_id": 3, "location": "us-west"}"#

  private func post(
    _ api: TestAPI, _ path: String = "/servers/", _ body: String? = body, key: String = "k-1", token: String? = nil
  ) async throws -> TestAPI.Reply {
    try await api.send(.post, path, body, token: token, headers: [Self.keyHeader: key])
  }

  @Test("A client that repeats its create has one server, and the password again")
  func create() async throws {
    let api = try await TestAPI.make()
    let first = try await post(api)
    let second = try await post(api)
    #expect(first.status == 201)
    #expect(first.headers[Self.replayed] == nil)
    #expect(second.status == 201)
    #expect(second.text == first.text)
    #expect(second.headers[Self.replayed] == "true")
    #expect(second.headers[.contentType] == "application/json")
    #expect(try await api.service.store.allServers().count == 1)
    #expect(try await post(api, key: "k-2").json["id"] as? Int == 2)
  }

  @Test("The same key for another body or path is refused")
  func different() async throws {
    let api = try await TestAPI.make()
    _ = try await post(api)
    let other = try await post(api, "/servers/", Self.body.replacingOccurrences(of: "\"a\"", with: "\"b\""))
    #expect(other.status == 422)
    #expect(try await post(api, "/servers/1/stop/").status == 422)
    #expect(try await post(api, "/servers").status == 201)
    #expect(try await api.service.store.allServers().count == 1)
  }

  @Test("Two accounts can use the same key")
  func accounts() async throws {
    let api = try await TestAPI.make()
    let (_, other) = try await api.service.newCaller()
    #expect(try await post(api).json["id"] as? Int == 1)
    #expect(try await post(api, token: other.text).json["id"] as? Int == 2)
  }

  @Test("Two tokens of one account can use the same key")
  func tokens() async throws {
    let api = try await TestAPI.make()
    let (_, other) = try await api.service.newToken(of: api.service.owner.accountID, permissions: [.everything])
    #expect(try await post(api).json["id"] as? Int == 1)
    let second = try await post(api, token: other.text)
    #expect(try second.json["id"] as? Int == 2)
    #expect(second.headers[Self.replayed] == nil)
    #expect(try await post(api, token: other.text).text == second.text)
  }

  @Test("What was carried out before it was written down whose key it was is not carried out again")
  func earlierVersion() async throws {
    let api = try await TestAPI.make()
    let first = try await post(api)
    _ = try await api.service.database.write { database in
      try database.run("UPDATE repeatable_request SET principal = ''")
    }
    let (_, other) = try await api.service.newToken(of: api.service.owner.accountID, permissions: [.everything])
    #expect(try await post(api).text == first.text)
    #expect(try await post(api, token: other.text).text == first.text)
    api.service.clock.advance(by: .seconds(24 * 3600))
    #expect(try await post(api).json["id"] as? Int == 2)
    #expect(try await post(api, token: other.text).json["id"] as? Int == 3)
  }

  @Test("While the clock is in doubt no answer becomes old, and by a clock that is trusted it does within a day")
  func doubtedClock() async throws {
    let api = try await TestAPI.make()
    await api.service.billing.pollOnce()
    let right = api.service.clock.now
    let first = try await post(api)
    api.service.clock.setTimeOfDay(to: right + .seconds(27 * 3600))
    let again = try await post(api)
    #expect(again.text == first.text && again.headers[Self.replayed] == "true")
    api.service.clock.setTimeOfDay(to: right + .seconds(25 * 3600))
    #expect(try await post(api).json["id"] as? Int == 2)
  }

  @Test("What was refused is asked afresh: the refusal was about that moment")
  func refusals() async throws {
    let api = TestAPI(try await TestService(addressPool: AddressPool("127.80.0.0/30")!))
    let id = try await api.createServer()
    let wrong = try await post(api, "/servers/\(id)/stop/", nil, key: "stop")
    #expect(wrong.status == 400)
    try await api.service.settle()
    let again = try await post(api, "/servers/\(id)/stop/", nil, key: "stop")
    #expect(again.status == 200)
    #expect(again.headers[Self.replayed] == nil)

    _ = try await api.createServer()
    #expect(try await post(api).status == 503)
    _ = try await api.send(.delete, "/servers/\(id)/")
    try await api.service.settle()
    #expect(try await post(api).status == 201)
  }

  @Test("Whoever had no credit at first has a server once there is credit, with the same key")
  func noCredit() async throws {
    let api = TestAPI(try await TestService(openingCredit: Money(microunits: 5_000)))
    let id = try await api.createServer()
    #expect(try await post(api).status == 402)
    _ = try await api.send(.delete, "/servers/\(id)/")
    try await api.service.settle()
    #expect(try await post(api).status == 201)
  }

  @Test("A key whose request was refused can be used for another one, and the refusal is kept nowhere")
  func nothingKept() async throws {
    let api = try await TestAPI.make()
    let secret = String(repeating: "mars", count: 1_000)
    for body in [#"{"location": "\#(secret)"}"#, "[]", "{", #"{"name": "\#(secret)"}"#] {
      let first = try await post(api, "/servers/", body)
      #expect(first.status == 400)
      let second = try await post(api, "/servers/", body)
      #expect(second.status == 400)
      #expect(second.headers[Self.replayed] == nil)
    }
    #expect(try await post(api, "/servers/99/start/", nil).status == 404)
    #expect(try await post(api).status == 201)
  }

  @Test("An action is carried out once: the repetition shows what was answered then")
  func action() async throws {
    let api = try await TestAPI.make()
    let id = try await api.activeServer()
    let first = try await post(api, "/servers/\(id)/stop/", nil)
    try await api.service.settle()
    let second = try await post(api, "/servers/\(id)/stop/", nil)
    #expect(first.status == 200)
    #expect(second.text == first.text)
    #expect(second.status == 200)
  }

  @Test("A key is forgotten after 24 hours")
  func lifetime() async throws {
    let api = try await TestAPI.make()
    _ = try await post(api)
    api.service.clock.advance(by: .seconds(24 * 3600 - 1))
    #expect(try await post(api).json["id"] as? Int == 1)
    api.service.clock.advance(by: .seconds(1))
    #expect(try await post(api).json["id"] as? Int == 2)
  }

  @Test("A key of no or too many characters is refused")
  func length() async throws {
    let api = try await TestAPI.make()
    #expect(try await post(api, key: String(repeating: "k", count: 256)).status == 400)
    #expect(try await post(api, key: "").status == 400)
    #expect(try await post(api, key: String(repeating: "k", count: 255)).status == 201)
    #expect(try await api.service.store.allServers().count == 1)
  }

  @Test("While the first request is being carried out, its repetition is told so; one that died is forgotten")
  func underWay() async throws {
    let api = try await TestAPI.make()
    let requests = Idempotency(store: api.service.store, clock: api.service.clock)
    let bytes = Array(Self.body.utf8)
    let beginning = try await requests.begin(
      key: "k-1", method: "POST", path: "/api/v1/servers", body: bytes, api.service.owner)
    guard case .first(let attempt) = beginning else {
      Issue.record("the key is new")
      return
    }
    #expect(try await post(api).status == 409)
    // The process died, and a new one begins.
    try await api.service.store.releaseAllLeases()
    #expect(try await post(api).status == 201)
    // Had it only been slow, what it does now would not count.
    await #expect(throws: Failure.self) {
      try await api.service.servers.create(api.service.draft(), attempt.caller)
    }
    #expect(try await api.service.store.allServers().count == 1)
  }

  @Test("A process that dies after the work and before the answer does not lead to a second server")
  func diedAfterTheWork() async throws {
    let api = try await TestAPI.make()
    let requests = Idempotency(store: api.service.store, clock: api.service.clock)
    let beginning = try await requests.begin(
      key: "k-1", method: "POST", path: "/api/v1/servers", body: Array(Self.body.utf8), api.service.owner)
    guard case .first(let attempt) = beginning else {
      Issue.record("the key is new")
      return
    }
    _ = try await api.service.servers.create(api.service.draft(), attempt.caller)
    try await api.service.store.releaseAllLeases()
    let reply = try await post(api)
    #expect(reply.status == 409)
    #expect(try (reply.json["detail"] as? String)?.contains("was carried out") == true)
    #expect(try await api.service.store.allServers().count == 1)
  }

  @Test("Side by side, the same request with the same key makes one server")
  func parallel() async throws {
    let api = try await TestAPI.make()
    try await withThrowingTaskGroup { group in
      for _ in 0..<20 {
        group.addTask {
          let status = try await post(api).status
          #expect(status == 201 || status == 409)
        }
      }
      try await group.waitForAll()
    }
    #expect(try await api.service.store.allServers().count == 1)
  }

  @Test("The database shows neither the key nor the password of a kept answer")
  func sealed() async throws {
    let api = try await TestAPI.make()
    let reply = try await post(api, key: "a-key-that-nobody-guesses")
    let password = try #require(try reply.json["password"] as? String)
    var contents = [try await api.service.content()]
    for name in try FileManager.default.contentsOfDirectory(atPath: api.service.directory.path) {
      let file = api.service.directory.appendingPathComponent(name)
      if name.hasPrefix("vpsd.sqlite"), let content = try? Data(contentsOf: file) { contents.append(content) }
    }
    for content in contents {
      #expect(content.range(of: Data(password.utf8)) == nil)
      #expect(content.range(of: Data("a-key-that-nobody-guesses".utf8)) == nil)
    }
  }
}
