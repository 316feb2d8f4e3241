import Core
import Engine
import Foundation
import HTTPTypes
import SimulatedDriver
import TestSupport
import Testing

@testable import API

@Suite("Nobody overwrites what somebody else changed meanwhile, unless they want to")
struct PreconditionTests {
  private func patch(_ api: TestAPI, _ body: String, ifMatch: String) async throws -> TestAPI.Reply {
    try await api.send(.patch, "/servers/1/", body, headers: [.ifMatch: ifMatch])
  }

  @Test("A change under the tag that was read is made; the old tag is refused from then on")
  func ifMatch() async throws {
    let api = try await TestAPI.make()
    _ = try await api.createServer()
    let tag = try #require(try await api.send(.get, "/servers/1/").headers[.eTag])
    #expect(tag.wholeMatch(of: /"[0-9a-f]{32}\.[0-9a-f]{16}"/) != nil)
    let changed = try await patch(api, #"{"name": "b"}"#, ifMatch: tag)
    #expect(changed.status == 200)
    #expect(changed.headers[.eTag] != tag)
    let refused = try await patch(api, #"{"name": "c"}"#, ifMatch: tag)
    #expect(refused.status == 412)
    #expect(refused.text == #"{"detail":"The server was changed meanwhile. Read it again."}"#)
    #expect(try await api.send(.get, "/servers/1/").json["name"] as? String == "b")
    let put = try await api.send(
      .put, "/servers/1/", #"{"name": "c", "hostname": "c", "backups_enabled": true}"#, headers: [.ifMatch: tag])
    #expect(put.status == 412)
  }

  @Test("A change holds what a customer can change against the tag, and not the status or the usage")
  func status() async throws {
    let api = try await TestAPI.make()
    _ = try await api.createServer()
    let before = try #require(try await api.send(.get, "/servers/1/").headers[.eTag])
    try await api.service.settle()
    #expect(try await patch(api, #"{"backups_enabled": true}"#, ifMatch: before).status == 200)
    #expect(try await patch(api, #"{"name": "b"}"#, ifMatch: before).status == 412)
  }

  @Test("Who has the answer already is not sent it again, and is told of everything that has become another")
  func unchanged() async throws {
    let api = try await TestAPI.make()
    _ = try await api.createServer()
    for path in ["/servers/", "/servers/1/"] {
      let before = try #require(try await api.send(.get, path).headers[.eTag])
      #expect(try await api.send(.get, path, headers: [.ifNoneMatch: before]).status == 304)
    }
    let paths = ["/servers/", "/servers/1/", "/servers/1/operations/"]
    var tags: [String: String] = [:]
    for path in paths { tags[path] = try await api.send(.get, path).headers[.eTag] }
    try await api.service.settle()
    for path in paths {
      let reply = try await api.send(.get, path, headers: [.ifNoneMatch: try #require(tags[path])])
      #expect(reply.status == 200 && !reply.text.contains("provisioning"), "\(path)")
    }
  }

  @Test("On every route that is read there is a tag, and whoever has it is sent nothing twice")
  func everyRead() async throws {
    let routes = try await EveryRoute.make()
    for endpoint in routes.endpoints where endpoint.method == .get && !endpoint.isStream {
      let first = try await routes.send(endpoint, nil, nil)
      guard first.status == 200 else { continue }
      let tag = try #require(first.headers[.eTag], "\(endpoint.name)")
      let second = try await routes.send(endpoint, nil, nil, headers: [.ifNoneMatch: tag])
      #expect(second.status == 304 && second.text.isEmpty, "\(endpoint.name)")
    }
  }

  @Test("Any of several tags will do, a star always, a weak one never")
  func lists() async throws {
    let api = try await TestAPI.make()
    _ = try await api.createServer()
    let tag = try #require(try await api.send(.get, "/servers/1/").headers[.eTag])
    #expect(try await patch(api, "{}", ifMatch: "\"x\", \(tag)").status == 200)
    #expect(try await patch(api, "{}", ifMatch: "*").status == 200)
    #expect(try await patch(api, "{}", ifMatch: "W/\(tag)").status == 412)
  }

  @Test("A server is deleted only where it is as the client saw it last")
  func delete() async throws {
    let api = try await TestAPI.make()
    _ = try await api.createServer()
    let tag = try #require(try await api.send(.get, "/servers/1/").headers[.eTag])
    _ = try await api.send(.patch, "/servers/1/", #"{"name": "b"}"#)
    #expect(try await api.send(.delete, "/servers/1/", headers: [.ifMatch: tag]).status == 412)
    let newest = try #require(try await api.send(.get, "/servers/1/").headers[.eTag])
    #expect(try await api.send(.delete, "/servers/1/", headers: [.ifMatch: newest]).status == 204)
  }

  @Test("What is only read is read under a condition too")
  func read() async throws {
    let api = try await TestAPI.make()
    _ = try await api.createServer()
    let tag = try #require(try await api.send(.get, "/servers/1/").headers[.eTag])
    for (headers, status): (HTTPFields, Int) in [
      ([.ifMatch: tag], 200), ([.ifMatch: "*"], 200), ([.ifMatch: "\"x\", \(tag)"], 200), ([.ifMatch: "\"x\""], 412),
      ([.ifMatch: "W/\(tag)"], 412), ([.ifNoneMatch: tag], 304), ([.ifNoneMatch: "W/\(tag)"], 304),
      ([.ifNoneMatch: "\"x\" ,\(tag)"], 304), ([.ifNoneMatch: "*"], 304), ([.ifNoneMatch: "\"x\""], 200),
    ] {
      for method: HTTPRequest.Method in [.get, .head] {
        let reply = try await api.send(method, "/servers/1/", headers: headers)
        #expect(reply.status == status, "\(method) \(headers)")
        if status == 304 { #expect(reply.text.isEmpty && reply.headers[.eTag] == tag) }
      }
    }
    // What has no tag is not what anybody saw.
    #expect(try await api.send(.get, "/servers/", headers: [.ifMatch: "\"x\""]).status == 412)
    #expect(try await api.send(.get, "/servers/", headers: [.ifNoneMatch: "\"x\""]).status == 200)
    #expect(try await api.send(.get, "//docs", headers: [.ifMatch: "\"x\""]).status == 412)
  }

  @Test("On every route that changes something a condition is followed or refused, and nothing is changed")
  func everyRoute() async throws {
    let routes = try await EveryRoute.make()
    let before = try await routes.everything()
    for endpoint in routes.endpoints where endpoint.method != .get {
      for headers: HTTPFields in [[.ifMatch: "\"x\""], [.ifNoneMatch: "*"], [.ifNoneMatch: "\"x\""]] {
        let fields = #"{"name": "b", "hostname": "b", "backups_enabled": true, "enabled": true, "rules": []}"#
        let body = endpoint.takesBody ? fields : nil
        let reply = try await routes.send(endpoint, nil, body, headers: headers)
        #expect(reply.status == 412, "\(endpoint.name): \(headers)")
      }
    }
    #expect(try await routes.everything() == before)
  }

  @Test("Of many changes under one tag, one is made")
  func race() async throws {
    let api = try await TestAPI.make()
    _ = try await api.createServer()
    let tag = try #require(try await api.send(.get, "/servers/1/").headers[.eTag])
    let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
      for number in 0..<10 {
        group.addTask { try await patch(api, "{\"name\": \"n\(number)\"}", ifMatch: tag).status }
      }
      return try await group.reduce(into: [Int]()) { $0.append($1) }
    }
    #expect(statuses.filter { $0 == 200 }.count == 1)
    #expect(statuses.filter { $0 == 412 }.count == 9)
  }
}
