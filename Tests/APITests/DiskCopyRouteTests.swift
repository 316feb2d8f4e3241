import Core
import Engine
import Foundation
import HTTPTypes
import SimulatedDriver
import TestSupport
import Testing

@Suite("Backups and snapshots over the API")
struct DiskCopyRouteTests {
  private static let prefer = HTTPField.Name("Prefer")!
  private static let applied = HTTPField.Name("Preference-Applied")!
  private static let key = HTTPField.Name("Idempotency-Key")!
  private static let replayed = HTTPField.Name("Idempotent-Replayed")!

  @Test("A backup has the fields of the documentation in their order, and then some")
  func backup() async throws {
    let api = try await TestAPI.make()
    let id = try await api.activeServer()
    let created = try await api.send(.post, "/backups/", #"{"server_id": \#(id), "description": "by hand"}"#)
    #expect(created.status == 201)
    #expect(
      Self.masked(created.text)
        == #"{"id":1,"server":{"id":1,"name":"web-1"},"backup_type":"manual","status":"pending","size_mb":null,"#
        + #""created_at":"TIME","expires_at":null,"description":"by hand","uuid":"UUID","checksum":null,"#
        + #""status_reason":null}"#)
    try await api.service.settle()
    let read = try await api.send(.get, "/backups/1/")
    #expect(read.status == 200)
    #expect(try read.json["status"] as? String == "completed")
    #expect(try read.json["size_mb"] as? Int ?? 0 > 0)
    #expect(try (read.json["checksum"] as? String)?.count == 64)
    let uuid = try #require(try read.json["uuid"] as? String)
    #expect(try await api.send(.get, "/backups/\(uuid)/").text == read.text)
    #expect(try await api.send(.get, "/backups/").text == #"{"count":1,"results":[\#(read.text)]}"#)
    #expect(try await api.send(.delete, "/backups/\(uuid)/").status == 204)
    #expect(try await api.send(.get, "/backups/1/").status == 404)
    #expect(try await api.send(.get, "/backups/").text == #"{"count":0,"results":[]}"#)
  }

  @Test("A snapshot has the fields of the documentation in their order, and then some")
  func snapshot() async throws {
    let api = try await TestAPI.make()
    _ = try await api.activeServer()
    let created = try await api.send(.post, "/snapshots/", #"{"server_id": "1", "name": "pre-migration_1"}"#)
    #expect(created.status == 201)
    #expect(
      Self.masked(created.text)
        == #"{"id":1,"server":{"id":1,"name":"web-1"},"name":"pre-migration_1","status":"pending","size_mb":null,"#
        + #""created_at":"TIME","description":"","uuid":"UUID","checksum":null,"status_reason":null}"#)
    #expect(try await api.send(.get, "/backups/1/").status == 404)
    #expect(try await api.send(.post, "/backups/1/restore/").status == 404)
    #expect(try await api.send(.delete, "/backups/1/").status == 404)
  }

  @Test("A restore is answered like an action, and waits like one")
  func restore() async throws {
    let api = try await TestAPI.make()
    _ = try await api.activeServer()
    _ = try await api.send(.post, "/backups/", #"{"server_id": 1}"#)
    let early = try await api.send(.post, "/backups/1/restore/")
    #expect(early.status == 400)
    #expect(early.text == #"{"detail":"Backup is pending."}"#)
    try await api.service.settle()
    let reply = try await api.send(.post, "/backups/1/restore/")
    #expect(reply.status == 200)
    #expect(
      reply.text
        == #"{"status":"success","message":"Server is being restored","#
        + #""server":{"id":1,"name":"web-1","status":"rebooting"}}"#)
    let stop = try await api.send(.post, "/servers/1/stop/")
    #expect(stop.text == #"{"detail":"Server is rebooting."}"#)
    try await api.service.settle()
    let waited = try await whileWorking(api, .post, "/backups/1/restore/")
    #expect(waited.headers[Self.applied] == "wait=60")
    #expect(
      waited.text
        == #"{"status":"success","message":"Server is restored","server":{"id":1,"name":"web-1","status":"active"}}"#)
  }

  @Test("A restore of a stopped server waits for the restore, and a failed one says so")
  func restoreOfStopped() async throws {
    let api = try await TestAPI.make()
    _ = try await api.activeServer()
    _ = try await api.send(.post, "/backups/", #"{"server_id": 1}"#)
    _ = try await api.send(.post, "/servers/1/stop/")
    try await api.service.settle()
    let waited = try await whileWorking(api, .post, "/backups/1/restore/")
    #expect(
      waited.text
        == #"{"status":"success","message":"Server is restored","#
        + #""server":{"id":1,"name":"web-1","status":"stopped"}}"#)
    try api.service.driver.damageCopy(try #require(api.service.driver.copies.keys.first))
    let failed = try await whileWorking(api, .post, "/backups/1/restore/")
    #expect(try failed.json["status"] as? String == "error")
    #expect(try failed.json["message"] as? String == "The copy of the disk is damaged.")
  }

  @Test("The names of the live API do the same")
  func aliases() async throws {
    let api = try await TestAPI.make()
    _ = try await api.activeServer()
    let uuid = try #require(try await api.send(.get, "/servers/1/").json["uuid"] as? String)
    let backup = try await api.send(.post, "/servers/\(uuid)/backup/", #"{"label": "nightly run"}"#)
    #expect(backup.status == 201)
    #expect(try backup.json["description"] as? String == "nightly run")
    #expect(try backup.json["backup_type"] as? String == "manual")
    #expect(try await api.send(.post, "/servers/1/backup/").status == 201)
    let body = #"{"label": "before", "description": "it all"}"#
    let snapshot = try await api.send(.post, "/servers/1/snapshot/", body)
    #expect(snapshot.status == 201)
    #expect(try snapshot.json["name"] as? String == "before")
    #expect(try snapshot.json["description"] as? String == "it all")
    let bad = try await api.send(.post, "/servers/1/snapshot/", #"{"label": "a b"}"#)
    #expect(bad.text == #"{"label":["Enter a valid value."]}"#)
    #expect(try await api.send(.post, "/servers/9/snapshot/", body).status == 404)
    #expect(try await api.send(.get, "/snapshots/").json["count"] as? Int == 1)
  }

  @Test(
    "A bad label of a backup is told by that name, with a description beside it or without", arguments: [true, false])
  func badLabel(hasDescription: Bool) async throws {
    let api = try await TestAPI.make()
    _ = try await api.activeServer()
    let rest = hasDescription ? #", "description": "it all""# : ""
    let long = String(repeating: "ы", count: 256)
    for (label, message) in [
      ("7", "Not a valid string."), ("[]", "Not a valid string."),
      (#""a\u0000b""#, "Null characters are not allowed."),
      (#""\#(long)""#, "Ensure this field has no more than 255 characters."),
    ] {
      let reply = try await api.send(.post, "/servers/1/backup/", #"{"label": \#(label)\#(rest)}"#)
      #expect(reply.status == 400)
      #expect(reply.text == #"{"label":["\#(message)"]}"#)
    }
    let same = hasDescription ? #", "description": "\#(long.dropLast())""# : ""
    let good = try await api.send(.post, "/servers/1/backup/", #"{"label": "\#(long.dropLast())"\#(same)}"#)
    #expect(try good.json["description"] as? String == String(long.dropLast()))
    #expect(try await api.send(.get, "/backups/").json["count"] as? Int == 1)
  }

  @Test("Lists are filtered by server, kind, status and name, ordered, and come in pages")
  func lists() async throws {
    let api = try await TestAPI.make()
    for name in ["web-1", "web-2"] { _ = try await api.activeServer(name: name) }
    for (server, name) in [(1, "b"), (1, "a"), (2, "A")] {
      _ = try await api.send(.post, "/snapshots/", #"{"server_id": \#(server), "name": "\#(name)"}"#)
      _ = try await api.send(.post, "/backups/", #"{"server_id": \#(server)}"#)
    }
    func ids(_ path: String) async throws -> [Int] {
      let results = try await api.send(.get, path).json["results"] as? [[String: Any]]
      return results?.compactMap { $0["id"] as? Int } ?? []
    }
    let uuid = try #require(try await api.send(.get, "/servers/2/").json["uuid"] as? String)
    #expect(try await ids("/backups/?server_id=1") == [2, 4])
    #expect(try await ids("/backups/?server_id=\(uuid)") == [6])
    #expect(try await ids("/backups/?backup_type=manual") == [2, 4, 6])
    #expect(try await ids("/backups/?backup_type=automatic").isEmpty)
    #expect(try await ids("/backups/?status=completed").isEmpty)
    #expect(try await ids("/snapshots/?name=a") == [3, 5])
    #expect(try await ids("/snapshots/?ordering=name,-id") == [5, 3, 1])
    #expect(try await ids("/backups/?ordering=-created_at,-id") == [6, 4, 2])
    let page = try await api.send(.get, "/backups/?page_size=2&page=2")
    #expect(try page.json["count"] as? Int == 3)
    #expect(try page.json["previous"] is String)
    for (query, field) in [
      ("server_id=99", "server_id"), ("server_id=x", "server_id"), ("backup_type=x", "backup_type"),
      ("backup_type=snapshot", "backup_type"), ("status=x", "status"), ("ordering=name", "ordering"),
    ] {
      let reply = try await api.send(.get, "/backups/?\(query)")
      #expect(reply.status == 400)
      #expect(try reply.json[field] != nil, "\(query)")
    }
  }

  @Test(
    "What is wrong with a body is said field by field, and nothing is made",
    arguments: [
      ("/backups/", "{}", #"{"server_id":["This field is required."]}"#),
      ("/backups/", #"{"server_id": 9}"#, #"{"server_id":["Invalid pk \"9\" - object does not exist."]}"#),
      (
        "/backups/", #"{"server_id": [], "description": 1}"#,
        #"{"server_id":["A valid integer or UUID is required."],"description":["Not a valid string."]}"#
      ),
      ("/snapshots/", #"{"server_id": 1}"#, #"{"name":["This field is required."]}"#),
      ("/snapshots/", #"{"server_id": 1, "name": "a.b"}"#, #"{"name":["Enter a valid value."]}"#),
      ("/snapshots/", #"{"server_id": 1, "name": "../a"}"#, #"{"name":["Enter a valid value."]}"#),
      (
        "/snapshots/", #"{"server_id": 1, "name": "\#(String(repeating: "a", count: 65))"}"#,
        #"{"name":["Ensure this field has no more than 64 characters."]}"#
      ),
      (
        "/backups/", #"{"server_id": 1, "description": "\#(String(repeating: "a", count: 256))"}"#,
        #"{"description":["Ensure this field has no more than 255 characters."]}"#
      ),
    ])
  func wrong(path: String, body: String, expected: String) async throws {
    let api = try await TestAPI.make()
    _ = try await api.activeServer()
    let reply = try await api.send(.post, path, body)
    #expect(reply.status == 400)
    #expect(reply.text == expected)
    #expect(try await api.send(.get, path).json["count"] as? Int == 0)
  }

  @Test("A description may be null or blank")
  func noDescription() async throws {
    let api = try await TestAPI.make()
    _ = try await api.activeServer()
    for description in ["null", #""""#, #""  ""#] {
      let reply = try await api.send(.post, "/backups/", #"{"server_id": 1, "description": \#(description)}"#)
      #expect(reply.status == 201)
      #expect(try reply.json["description"] as? String == "")
    }
  }

  @Test("A create can be waited for, and repeated without a second copy")
  func waitAndRepeat() async throws {
    let api = try await TestAPI.make()
    _ = try await api.activeServer()
    let body = #"{"server_id": 1}"#
    let waited = try await whileWorking(api, .post, "/backups/", body, headers: [Self.key: "k"])
    #expect(waited.status == 201)
    #expect(waited.headers[Self.applied] == "wait=60")
    #expect(try waited.json["status"] as? String == "completed")
    let again = try await api.send(.post, "/backups/", body, headers: [Self.key: "k"])
    #expect(again.headers[Self.replayed] == "true")
    #expect(again.text == waited.text)
    #expect(try await api.send(.get, "/backups/").json["count"] as? Int == 1)
  }

  @Test("The history of the server shows what was done with its copies")
  func history() async throws {
    let api = try await TestAPI.make()
    _ = try await api.activeServer()
    _ = try await api.send(.post, "/backups/", #"{"server_id": 1}"#)
    _ = try await api.send(.post, "/snapshots/", #"{"server_id": 1, "name": "a"}"#)
    try await api.service.settle()
    _ = try await api.send(.post, "/snapshots/2/restore/")
    _ = try await api.send(.delete, "/snapshots/2/")
    try await api.service.settle()
    let history = try await api.send(.get, "/servers/1/operations/").json["results"] as? [[String: Any]]
    #expect(history?.map { $0["kind"] as? String } == ["create", "backup", "snapshot", "restore", "discard"])
    #expect(history?.allSatisfy { $0["status"] as? String == "succeeded" } == true)
  }

  /// Sends the request, and lets the service work once the request waits.
  private func whileWorking(
    _ api: TestAPI, _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil, headers: HTTPFields = [:]
  ) async throws -> TestAPI.Reply {
    var headers = headers
    headers[Self.prefer] = "wait=60"
    async let reply = api.send(method, path, body, headers: headers)
    await api.service.clock.whenSleeping()
    try await api.service.settle()
    return try await reply
  }

  private static func masked(_ text: String) -> String {
    text.replacing(/[0-9a-f]{8}-[0-9a-f-]{27}/, with: "UUID").replacing(/[0-9-]{10}T[0-9:]{8}Z/, with: "TIME")
  }
}
