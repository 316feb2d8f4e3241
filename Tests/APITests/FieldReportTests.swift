import Core
import Engine
import Foundation
import HTTPTypes
import NIOCore
import SimulatedDriver
import TestSupport
import Testing

@testable import API

/// What people have reported about other clouds and their clients, tried here. Where each comes from: docs/field-reports.md.
@Suite("What went wrong elsewhere goes well here")
struct FieldReportTests {
  private static let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"

  // MARK: Names and numbers

  @Test(
    "A name or host name that a guest could not bear is refused, and nothing is made",
    arguments: [
      (#""name": "my_host""#, "name"), (#""name": "my.host""#, "name"), (#""name": "🐼""#, "name"),
      (#""name": "a", "hostname": "web_1.example.org""#, "hostname"),
      (#""name": "a", "hostname": "münchen.de""#, "hostname"), (#""name": "a", "hostname": "web..org""#, "hostname"),
      (#""name": "a", "hostname": "10.0.0x7f""#, "hostname"), (#""name": "a", "hostname": "10.0X""#, "hostname"),
    ])
  func names(fields: String, field: String) async throws {
    let api = try await TestAPI.make()
    let reply = try await api.send(
      .post, "/servers/", #"{\#(fields), "plan_id": 3, "os_id": 3, "location": "us-west"}"#)
    #expect(reply.status == 400)
    #expect(try reply.json.keys.sorted() == [field])
    #expect(try await api.service.store.allServers().isEmpty)
  }

  @Test("A server that is called by a number is found by its name, and never instead of the one with that id")
  func numericName() async throws {
    let api = try await TestAPI.make()
    let first = try await api.createServer(name: "2")
    let second = try await api.createServer(name: "1")
    #expect((first, second) == (1, 2))
    #expect(try await api.send(.get, "/servers/2/").json["name"] as? String == "1")
    #expect(try await results(api, "/servers/?name=2").map { $0["id"] as? Int } == [1])
    #expect(try await api.send(.get, "/servers/3/").status == 404)
  }

  @Test("An id beyond a million is written in digits", arguments: [1_006_964, 9_007_199_254_740_993, Int.max])
  func largeID(id: Int) {
    #expect(String(buffer: JSONWriter.object { $0.field("id", id) }) == #"{"id":\#(id)}"#)
  }

  @Test("A whole number may come as a text or with a point, as some languages write it; nothing else is one")
  func numbers() async throws {
    let api = try await TestAPI.make()
    for (plan, status) in [
      (#""3""#, 201), ("3.0", 201), ("true", 400), ("3.5", 400), (#""0x3""#, 400), (#""3.0""#, 400), ("1e30", 400),
      ("[3]", 400), (#""""#, 400), (#""３""#, 400),
    ] {
      let body = #"{"name": "a", "plan_id": \#(plan), "os_id": 3, "location": "us-west"}"#
      #expect(try await api.send(.post, "/servers/", body).status == status, "\(plan)")
    }
  }

  @Test("A uuid is found in capitals, and with an escape that it does not need; one that climbs out is found nowhere")
  func references() async throws {
    let api = try await TestAPI.make()
    let id = try await api.createServer()
    let uuid = try #require(try await api.send(.get, "/servers/\(id)/").json["uuid"] as? String)
    for name in [uuid, uuid.uppercased(), uuid.replacingOccurrences(of: "-", with: "%2D"), "%31"] {
      #expect(try await api.send(.get, "/servers/\(name)/").json["id"] as? Int == id, "\(name)")
    }
    for name in ["\(id)%2f", "..%2fservers%2f\(id)", "\(id)%00", "%2531", "+\(id)", "\(id)%20", "\(id);x=1", "1e0"] {
      #expect(try await api.send(.get, "/servers/\(name)/").status == 404, "\(name)")
    }
  }

  @Test("What is on can be turned off again, and a word that is no boolean turns on nothing")
  func booleans() async throws {
    let api = try await TestAPI.make()
    let id = try await api.createServer()
    for (value, status, isOn) in [("true", 200, true), ("false", 200, false), (#""enabled""#, 400, false)] {
      let reply = try await api.send(.patch, "/servers/\(id)/", #"{"backups_enabled": \#(value)}"#)
      #expect(reply.status == status)
      #expect(try await api.send(.get, "/servers/\(id)/").json["backups_enabled"] as? Bool == isOn)
    }
  }

  // MARK: Lists

  @Test("Following the pages finds everything once, whether or not the last page is full", arguments: [7, 8, 9])
  func walk(count: Int) async throws {
    let api = try await TestAPI.make()
    for number in 1...count { _ = try await api.createServer(name: "s\(number)") }
    var path: String? = "/servers/?location=us-west&page_size=4"
    var pages: [[Int]] = []
    while let here = path {
      let reply = try await api.send(.get, here)
      #expect(reply.status == 200)
      pages.append(try (reply.json["results"] as? [[String: Any]] ?? []).compactMap { $0["id"] as? Int })
      path = try (reply.json["next"] as? String).map { String($0.dropFirst("http://127.0.0.1/api/v1".count)) }
    }
    #expect(pages.joined().elementsEqual(1...count))
    #expect(pages.allSatisfy { (1...4).contains($0.count) })
  }

  @Test("A name is looked for among all servers, not among those of the first page")
  func uniqueName() async throws {
    let api = try await TestAPI.make()
    for number in 1...5 { _ = try await api.createServer(name: "s\(number)") }
    #expect(try await results(api, "/servers/?name=s5&page_size=2").map { $0["id"] as? Int } == [5])
  }

  // MARK: Servers that are busy, gone, or new

  @Test("A server is there for whoever made it, by id and in the list, as soon as it is answered")
  func readYourWrites() async throws {
    let api = try await TestAPI.make()
    let id = try await api.createServer()
    #expect(try await api.send(.get, "/servers/\(id)/").status == 200)
    #expect(try await results(api, "/servers/").map { $0["id"] as? Int } == [id])
  }

  @Test(
    "A delete is accepted whatever the server does, once; it is gone, and its name is free for the next",
    arguments: ["create", "stop", "reboot", "backup", "resize", "rebuild", "restore"])
  func deleteBusy(work: String) async throws {
    let api = try await TestAPI.make()
    let id = work == "create" ? try await api.createServer() : try await api.activeServer()
    switch work {
    case "create": break
    case "restore":
      _ = try await api.send(.post, "/backups/", #"{"server_id": \#(id)}"#)
      try await api.service.settle()
      #expect(try await api.send(.post, "/backups/1/restore/").status == 200)
    default:
      let body = ["resize": #"{"plan_id": 1}"#, "rebuild": "{}"][work]
      #expect((200...201).contains(try await api.send(.post, "/servers/\(id)/\(work)/", body).status))
    }
    #expect(try await api.send(.delete, "/servers/\(id)/").status == 204)
    #expect(try await api.send(.delete, "/servers/\(id)/").status == 404)
    #expect(try await api.send(.get, "/servers/\(id)/").status == 404)
    #expect(try await api.createServer() == id + 1)
    try await api.service.settle()
    #expect(try await api.send(.get, "/servers/\(id + 1)/").json["status"] as? String == "active")
    #expect(try await results(api, "/backups/").isEmpty)
    #expect(try await api.service.store.allServers().count == 1)
  }

  @Test("A plan with a smaller disk is refused before anything happens to the server")
  func smallerDisk() async throws {
    let api = try await TestAPI.make()
    let reply = try await api.send(
      .post, "/servers/", #"{"name": "a", "plan_id": 1, "os_id": 3, "location": "us-west"}"#)
    let id = try #require(try reply.json["id"] as? Int)
    try await api.service.settle()
    api.service.driver.forgetCalls()
    let refused = try await api.send(.post, "/servers/\(id)/resize/", #"{"plan_id": 3}"#)
    #expect(refused.status == 400)
    #expect(refused.text.contains("Disks cannot shrink."))
    try await api.service.settle()
    #expect(try await api.send(.get, "/servers/\(id)/").json["status"] as? String == "active")
    #expect(api.service.driver.calls.isEmpty)
  }

  @Test("A copy from before a resize is restored, stopped stays stopped, and the next boot has the disk of the plan")
  func restoreAfterResize() async throws {
    let api = try await TestAPI.make()
    let id = try await api.activeServer()
    _ = try await api.send(.post, "/servers/\(id)/stop/")
    try await api.service.settle()
    _ = try await api.send(.post, "/backups/", #"{"server_id": \#(id)}"#)
    try await api.service.settle()
    #expect(try await api.send(.post, "/servers/\(id)/resize/", #"{"plan_id": 1}"#).status == 200)
    try await api.service.settle()
    #expect(try await api.send(.post, "/backups/1/restore/").status == 200)
    try await api.service.settle()
    let server = try await api.send(.get, "/servers/\(id)/").json
    #expect(server["status"] as? String == "stopped")
    #expect((server["plan"] as? [String: Any])?["storage"] as? Int == 80)
    #expect(try await api.send(.post, "/servers/\(id)/start/").status == 200)
    try await api.service.settle()
    let uuid = try #require(try await api.service.store.server(ID(Int64(id)))?.uuid)
    #expect(api.service.driver.machine(uuid)?.disk?.storageGiB == 80)
  }

  @Test("A copy that is being made can be deleted: it is gone at once, cannot be restored, and leaves no file")
  func deletePendingCopy() async throws {
    let api = try await TestAPI.make()
    let id = try await api.activeServer()
    _ = try await api.send(.post, "/snapshots/", #"{"server_id": \#(id), "name": "a"}"#)
    try await api.service.step()
    #expect(try await api.send(.delete, "/snapshots/1/").status == 204)
    #expect(try await api.send(.delete, "/snapshots/1/").status == 404)
    #expect(try await api.send(.post, "/snapshots/1/restore/").status == 404)
    #expect(try await results(api, "/snapshots/").isEmpty)
    try await api.service.settle()
    #expect(api.service.driver.copies.isEmpty)
    #expect(try await api.send(.get, "/servers/\(id)/").json["status"] as? String == "active")
  }

  // MARK: Keys

  @Test("A key is the same key whatever its comment and line end, and two keys may have one comment and one name")
  func keys() async throws {
    let api = try await TestAPI.make()
    func add(_ key: String) async throws -> TestAPI.Reply {
      try await api.send(.post, "/ssh-keys/", #"{"name": "laptop", "public_key": "\#(key)"}"#)
    }
    let first = try await add(Self.key + #" me@host\n"#)
    #expect(first.status == 201)
    #expect(try first.json["public_key"] as? String == Self.key + " me@host")
    for again in [Self.key, Self.key + " other", Self.key + #" me@host\r\n"#] {
      #expect(try await add(again).text == #"{"public_key":["This SSH key is registered already."]}"#)
    }
    let other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGb9OEAXj8RWAvAfSUEH6fjAlkeJnhFHIAiQjBd0+mqd me@host"
    #expect(try await add(other).status == 201)
    #expect(try await add("~/.ssh/id_ed25519.pub").status == 400)
  }

  // MARK: Events

  @Test("Who begins to listen hears at once that it is connected, and nothing of the past")
  func newListener() async throws {
    let api = try await TestAPI.make()
    _ = try await api.activeServer()
    let stream = try await api.stream("/events/")
    var parts = stream.parts.makeAsyncIterator()
    #expect(try #require(await parts.next()).contains("data:") == false)
    let second = try await api.createServer(name: "second")
    #expect(try #require(await parts.next()).contains(#""server":{"id":\#(second),"#))
    stream.cancel()
  }

  @Test("Who lost the connection to a service that was restarted meanwhile goes on where it was")
  func restartedService() async throws {
    let before = try await TestAPI.make()
    _ = try await before.activeServer()
    let api = TestAPI(try await TestService(after: before.service))
    let stream = try await api.stream("/events/", headers: [HTTPField.Name("Last-Event-ID")!: "4"])
    var parts = stream.parts.makeAsyncIterator()
    #expect(try #require(await parts.next()).contains("id: 5\n"))
    let next = try await api.createServer(name: "next")
    #expect(try #require(await parts.next()).contains(#""server":{"id":\#(next),"#))
    stream.cancel()
  }

  private func results(_ api: TestAPI, _ path: String) async throws -> [[String: Any]] {
    try await api.send(.get, path).json["results"] as? [[String: Any]] ?? []
  }
}
