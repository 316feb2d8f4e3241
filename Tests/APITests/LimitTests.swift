import Core
import Engine
import Foundation
import HTTPTypes
import TestSupport
import Testing

@testable import API

@Suite("Nobody takes more than their share")
struct LimitTests {
  private static let limitHeader = HTTPField.Name("X-RateLimit-Limit")!
  private static let remainingHeader = HTTPField.Name("X-RateLimit-Remaining")!
  private static let resetHeader = HTTPField.Name("X-RateLimit-Reset")!

  @Test("A body is as large as the operator lets it be, and no larger")
  func bodySize() async throws {
    var limits = TestAPI.noLimits
    limits.bodyBytes = 100
    let api = TestAPI(try await TestService(), limits: limits)
    let padding = String(repeating: " ", count: 100)
    #expect(try await api.send(.post, "/servers/", String(padding.dropLast(2)) + "{}").status == 400)
    let reply = try await api.send(.post, "/servers/", padding + "{}")
    #expect(reply.status == 413)
    #expect(reply.text == #"{"detail":"Request body too large."}"#)
    let repeatable: HTTPFields = [HTTPField.Name("Idempotency-Key")!: "k"]
    #expect(try await api.send(.post, "/servers/", padding + "{}", headers: repeatable).status == 413)
  }

  @Test(
    "Lists and objects of a body are nested as deep as the operator lets them be, and no deeper", arguments: [4, 20])
  func depth(_ limit: Int) async throws {
    var limits = TestAPI.noLimits
    limits.jsonDepth = limit
    let api = TestAPI(try await TestService(), limits: limits)
    for (open, close) in [("[", "]"), (#"{"a":"#, "}")] {
      let inner = String(repeating: open, count: limit - 1) + "1" + String(repeating: close, count: limit - 1)
      let reply = try await api.send(.post, "/backups/", #"{"x": \#(inner)}"#)
      #expect(reply.text == #"{"server_id":["This field is required."]}"#)
      let deeper = try await api.send(.post, "/backups/", #"{"x": \#(open)\#(inner)\#(close)}"#)
      #expect(deeper.status == 400)
      #expect(deeper.text == #"{"detail":"JSON parse error - the document is nested too deeply."}"#)
    }
  }

  @Test("An object of a body has a thousand fields at most")
  func fields() async throws {
    let api = TestAPI(try await TestService(), limits: TestAPI.noLimits)
    func reply(_ count: Int, _ name: (Int) -> String) async throws -> String {
      let fields = (1...count).map { "\"\(name($0))\": 1" }.joined(separator: ",")
      return try await api.send(.post, "/backups/", "{\(fields)}").text
    }
    for name: (Int) -> String in [{ "x\($0)" }, { _ in "x" }] {
      #expect(try await reply(1000, name) == #"{"server_id":["This field is required."]}"#)
      #expect(try await reply(1001, name) == #"{"detail":"JSON parse error - an object has too many fields."}"#)
    }
  }

  @Test("The deepest body that an operator can let in does not end the service, on the smallest stack of a thread")
  func deepest() async throws {
    let limit = RequestLimits.jsonDepths.upperBound
    for (open, close) in [("[", "]"), (#"{"a":"#, "}")] {
      let text = String(repeating: open, count: limit) + "1" + String(repeating: close, count: limit)
      let isRead = await withCheckedContinuation { continuation in
        let thread = Thread {
          let value = try? JSONValue(parsing: Array(text.utf8), maximumDepth: limit)
          continuation.resume(returning: value != nil)
        }
        thread.stackSize = 512 << 10
        thread.start()
      }
      #expect(isRead)
    }
  }

  @Test("A list of a body has as many elements as the operator lets it have, and no more", arguments: [1, 3])
  func listElements(_ limit: Int) async throws {
    var limits = TestAPI.noLimits
    limits.listElements = limit
    let api = TestAPI(try await TestService(), limits: limits)
    let tooMany = #"["Ensure this field has no more than \#(limit) elements."]"#
    func token(_ count: Int) async throws -> TestAPI.Reply {
      let permissions = Array(repeating: #""servers:read""#, count: count).joined(separator: ",")
      return try await api.send(.post, "/tokens/", #"{"name": "t", "permissions": [\#(permissions)]}"#)
    }
    #expect(try await token(limit).status == 201)
    #expect(try await token(limit + 1).text == #"{"permissions":\#(tooMany)}"#)
    func server(_ count: Int) async throws -> TestAPI.Reply {
      let keys = Array(repeating: "7", count: count).joined(separator: ",")
      return try await api.send(
        .post, "/servers/", #"{"hostname": "a", "location": 1, "plan": 3, "os_version": 3, "ssh_keys": [\#(keys)]}"#)
    }
    #expect(try await server(limit).text.contains("object does not exist"))
    #expect(try await server(limit + 1).text == #"{"ssh_keys":\#(tooMany)}"#)
  }

  @Test("A page has as many elements as the operator lets it have, unless the client wants fewer", arguments: [2, 150])
  func pageSize(_ limit: Int) async throws {
    var limits = TestAPI.noLimits
    limits.pageSize = limit
    let api = TestAPI(try await TestService(quota: nil), limits: limits)
    for _ in 0...limit { _ = try await api.createServer() }
    func sizes(_ query: String, of path: String = "/servers/") async throws -> [Int?] {
      let reply = try await api.send(.get, path + query).json
      return [(reply["results"] as? [Any])?.count, reply["count"] as? Int]
    }
    #expect(try await sizes("") == [limit, limit + 1])
    #expect(try await sizes("?page=2") == [1, limit + 1])
    #expect(try await sizes("?page_size=\(limit + 1)") == [limit, limit + 1])
    #expect(try await sizes("?page_size=1") == [1, limit + 1])
    let plans = try await api.service.catalogue.catalogue(for: api.service.owner).plans.count
    #expect(try await sizes("", of: "/plans/") == [min(limit, plans), plans])
  }

  @Test("A token may make so many requests a minute, and learns how many are left")
  func requests() async throws {
    let api = TestAPI(
      try await TestService(), limits: RequestLimits(requestsPerMinute: 3, loginFailuresPerMinute: 0))
    let now = api.service.clock.now.millisecondsSinceEpoch / 1000
    for left in ["2", "1", "0"] {
      let reply = try await api.send(.get, "/servers/")
      #expect(reply.status == 200)
      #expect(reply.headers[Self.limitHeader] == "3")
      #expect(reply.headers[Self.remainingHeader] == left)
    }
    api.service.clock.advance(by: .seconds(7))
    let refused = try await api.send(.get, "/servers/")
    #expect(refused.status == 429)
    #expect(refused.text == #"{"detail":"Request was throttled. Expected available in 13 seconds."}"#)
    #expect(refused.headers[.retryAfter] == "13")
    #expect(refused.headers[Self.remainingHeader] == "0")
    #expect(refused.headers[Self.resetHeader] == "\(now + 60)")
    let other = try await api.service.newCaller()
    #expect(try await api.send(.get, "/servers/", token: other.token.text).status == 200)
    api.service.clock.advance(by: .seconds(13))
    #expect(try await api.send(.get, "/servers/").status == 200)
    #expect(try await api.send(.get, "/servers/").status == 429)
  }

  @Test("Of several errors the first of 401, 403, 429, 405 and 404 is told")
  func order() async throws {
    let api = TestAPI(
      try await TestService(), limits: RequestLimits(requestsPerMinute: 1, loginFailuresPerMinute: 0))
    let reader = try await api.service.newToken(
      of: api.service.owner.accountID, permissions: [Permission(.servers, .read)])
    let token = reader.token.text
    #expect(try await api.send(.get, "/servers/", token: token).status == 200)
    #expect(try await api.send(.post, "/servers/", "{}", token: "").status == 401)
    #expect(try await api.send(.post, "/servers/", "{}", token: token).status == 403)
    #expect(try await api.send(.get, "/servers/", token: token).status == 429)
    #expect(try await api.send(.delete, "/servers/", token: token).status == 429)
    #expect(try await api.send(.get, "/servers/999/", token: token).status == 429)
    #expect(try await api.send(.get, "/nothing/", token: token).status == 429)
    api.service.clock.advance(by: .seconds(60))
    #expect(try await api.send(.delete, "/servers/", token: token).status == 405)
    api.service.clock.advance(by: .seconds(60))
    #expect(try await api.send(.get, "/nothing/", token: token).status == 404)
  }

  @Test("Whoever guesses tokens is slowed down, and a valid token at the same address is not")
  func loginFailures() async throws {
    let api = TestAPI(
      try await TestService(), limits: RequestLimits(requestsPerMinute: 0, loginFailuresPerMinute: 2))
    for _ in 1...2 { #expect(try await api.send(.get, "/servers/", token: "wrong").status == 401) }
    let refused = try await api.send(.get, "/servers/", token: "wrong")
    #expect(refused.status == 429)
    #expect(refused.headers[.retryAfter] == "30")
    #expect(try await api.send(.get, "/servers/", token: "").status == 401)
    let valid = try await api.send(.get, "/servers/")
    #expect(valid.status == 200)
    #expect(valid.headers[Self.limitHeader] == nil)
    api.service.clock.advance(by: .seconds(30))
    #expect(try await api.send(.get, "/servers/", token: "wrong").status == 401)
  }

  @Test("An account has so many servers at most, and a deleted one makes room at once")
  func quota() async throws {
    let api = TestAPI(try await TestService(quota: 2))
    let first = try await api.createServer()
    _ = try await api.createServer()
    let body = #"{"name": "one-more", "plan_id": 3, "os_id": 3, "location": "us-west"}"#
    let refused = try await api.send(.post, "/servers/", body)
    #expect(refused.status == 403)
    #expect(refused.text == #"{"detail":"Server quota reached (2)."}"#)
    let other = try await api.service.newCaller()
    #expect(try await api.send(.post, "/servers/", body, token: other.token.text).status == 201)
    #expect(try await api.send(.delete, "/servers/\(first)/").status == 204)
    #expect(try await api.send(.post, "/servers/", body).status == 201)
    #expect(try await api.service.contradictions() == [])
  }

  @Test("Many creates at once do not get past the quota")
  func quotaAtOnce() async throws {
    let service = try await TestService(quota: 5)
    await withTaskGroup(of: Void.self) { group in
      for _ in 1...20 {
        group.addTask { _ = try? await service.servers.create(service.draft(), service.owner) }
      }
    }
    #expect(try await service.store.allServers().count == 5)
  }

  @Test("A limit forgets the quiet ones first, and never keeps more keys than it may")
  func bounded() throws {
    let clock = ManualClock()
    let limit = try #require(RateLimit<Int>(perMinute: 2, maximumKeys: 100, clock: clock))
    for _ in 1...2 { #expect(limit.take(-1).retryAfterSeconds == nil) }
    for key in 0..<10_000 {
      #expect(limit.take(key).retryAfterSeconds == nil)
      #expect(limit.keyCount <= 100)
    }
    #expect(limit.take(-1).retryAfterSeconds == 30)
    clock.setTimeOfDay(to: clock.now - .seconds(3600))
    #expect(limit.take(-1).retryAfterSeconds == 30)
    clock.advance(by: .seconds(30))
    #expect(limit.take(-1).retryAfterSeconds == nil)
  }
}
