import Core
import Engine
import Foundation
import HTTPTypes
import TestSupport
import Testing

@Suite("A server has a history")
struct HistoryTests {
  @Test("It shows what was done, when, by which token, and how it ended")
  func history() async throws {
    let api = try await TestAPI.make()
    let id = try await api.createServer()
    let waiting = try await api.send(.get, "/servers/\(id)/operations/")
    #expect(
      waiting.text
        == #"{"count":1,"results":[{"id":1,"kind":"create","status":"queued","step":null,"requested_by":"test","#
        + #""created_at":"2025-01-16T15:30:00Z","started_at":null,"finished_at":null,"reason":null,"#
        + #""subject":null}]}"#)
    try await api.service.settle()
    api.service.clock.advance(by: .seconds(3600))
    _ = try await api.send(.post, "/servers/\(id)/power/", #"{"action": "hard_stop"}"#)
    try await api.service.settle()
    let reply = try await api.send(.get, "/servers/\(id)/operations/?ordering=-id")
    let results = try #require(try reply.json["results"] as? [[String: Any]])
    #expect(results.map { $0["kind"] as? String } == ["hard_stop", "create"])
    #expect(results.allSatisfy { $0["status"] as? String == "succeeded" && $0["step"] is NSNull })
    #expect((results[0]["started_at"] as? String)?.hasPrefix("2025-01-16T16:3") == true)
    #expect(results[0]["finished_at"] is String)
    let page = try await api.send(.get, "/servers/\(id)/operations/?page_size=1&page=2")
    #expect(try (page.json["results"] as? [[String: Any]])?.first?["kind"] as? String == "hard_stop")
  }

  @Test("An operation tells which backup, snapshot, plan or system it is about, in the history and in events")
  func subjects() async throws {
    let api = try await TestAPI.make()
    let id = try await api.activeServer()
    _ = try await api.send(.post, "/snapshots/", #"{"server_id": \#(id), "name": "a"}"#)
    _ = try await api.send(.post, "/backups/", #"{"server_id": \#(id)}"#)
    try await api.service.settle()
    _ = try await api.send(.post, "/backups/2/restore/")
    try await api.service.settle()
    _ = try await api.send(.delete, "/snapshots/1/")
    _ = try await api.send(.post, "/servers/\(id)/resize/", #"{"plan_id": 1}"#)
    try await api.service.settle()
    _ = try await api.send(.post, "/servers/\(id)/rebuild/", #"{"os_id": 3}"#)
    let reply = try await api.send(.get, "/servers/\(id)/operations/")
    let operations = try #require(try reply.json["results"] as? [[String: Any]])
    let subjects = operations.map { operation in
      let subject = operation["subject"] as? [String: Any]
      return "\(operation["kind"] ?? "") \(subject?["type"] ?? "-") \(subject?["id"] ?? "-")"
    }
    #expect(
      subjects == [
        "create - -", "snapshot snapshot 1", "backup backup 2", "restore backup 2", "discard snapshot 1",
        "resize plan 1", "rebuild os 3",
      ])
    let events = try await api.service.store.events(of: api.service.owner.accountID, after: 0, limit: 1000)
    let backups = events.filter { event in
      if case .operation(_, .backup, _, _, .backup(ID(2))) = event.subject { true } else { false }
    }
    #expect(backups.count == 3)
  }

  @Test("What failed shows the reason that the customer may know")
  func failed() async throws {
    let api = try await TestAPI.make()
    let created = try await api.send(
      .post, "/servers/", #"{"name": "u", "plan_id": 3, "os_id": 5, "location": "us-west"}"#)
    let id = try #require(try created.json["id"] as? Int)
    try await api.service.settle()
    let reply = try await api.send(.get, "/servers/\(id)/operations/")
    let operation = try #require(try (reply.json["results"] as? [[String: Any]])?.first)
    #expect(operation["status"] as? String == "failed")
    #expect((operation["reason"] as? String)?.contains("image") == true)
  }

  @Test("Another account's history is not there")
  func anothers() async throws {
    let api = try await TestAPI.make()
    let id = try await api.createServer()
    let (_, other) = try await api.service.newCaller()
    #expect(try await api.send(.get, "/servers/\(id)/operations/", token: other.text).status == 404)
  }
}
