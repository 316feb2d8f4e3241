import Core
import Engine
import Foundation
import HTTPTypes
import SimulatedDriver
import TestSupport
import Testing

@Suite("Resize and rebuild over the API")
struct ShapeTests {
  private static let prefer = HTTPField.Name("Prefer")!
  private static let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl a@b"

  @Test("A plan is named by plan_id, or by plan as the live API does, by id or uuid")
  func plans() async throws {
    let uuid = Catalogue.initial.plans[0].uuid.uuidString
    for body in [#"{"plan_id": 1}"#, #"{"plan": 1}"#, #"{"plan": "1"}"#, #"{"plan": "\#(uuid)"}"#] {
      let api = try await TestAPI.make()
      let id = try await api.activeServer()
      let reply = try await api.send(.post, "/servers/\(id)/resize/", body)
      #expect(reply.status == 200)
      #expect(
        reply.text
          == #"{"status":"success","message":"Server is resizing","server":{"id":\#(id),"name":"web-1","status":"rebooting"}}"#
      )
      try await api.service.settle()
      let plan = try #require(try await api.send(.get, "/servers/\(id)/").json["plan"] as? [String: Any])
      #expect(plan["id"] as? Int == 1)
      #expect(plan["storage"] as? Int == 80)
    }
  }

  @Test(
    "What is wrong with a plan is told by the name of its field, and changes nothing",
    arguments: [
      ("{}", #"{"plan_id":["This field is required."]}"#),
      (#"{"plan_id": "x"}"#, #"{"plan_id":["A valid integer is required."]}"#),
      (#"{"plan_id": 99}"#, #"{"plan_id":["Invalid pk \"99\" - object does not exist."]}"#),
      (#"{"plan": "nano"}"#, #"{"plan":["A valid integer or UUID is required."]}"#),
      (#"{"plan": null}"#, #"{"plan":["This field may not be null."]}"#),
      (#"{"plan_id": 1}"#, #"{"plan_id":["The server has this plan already."]}"#),
      (
        #"{"plan": 3}"#,
        #"{"plan":["The disk of this plan (5 GiB) is smaller than the server's (80 GiB). Disks cannot shrink."]}"#
      ),
    ])
  func wrongPlans(body: String, expected: String) async throws {
    let api = try await TestAPI.make()
    let create = #"{"name": "a", "plan_id": 1, "os_id": 3, "location": "us-west"}"#
    #expect(try await api.send(.post, "/servers/", create).status == 201)
    try await api.service.settle()
    let reply = try await api.send(.post, "/servers/1/resize/", body)
    #expect(reply.status == 400)
    #expect(reply.text == expected)
    #expect(try await api.service.store.operations(of: ID(1)).count == 1)
    #expect(try await api.service.contradictionsAtRest() == [])
  }

  @Test("A second one before the first is over is a conflict")
  func conflict() async throws {
    let api = try await TestAPI.make()
    let id = try await api.activeServer()
    for (path, body, detail) in [
      ("resize", #"{"plan_id": 1}"#, "Server is being resized already."),
      ("rebuild", "{}", "Server is being rebuilt already."),
    ] {
      #expect(try await api.send(.post, "/servers/\(id)/\(path)/", body).status == 200)
      let second = try await api.send(.post, "/servers/\(id)/\(path)/", body)
      #expect(second.status == 409)
      #expect(second.text == #"{"detail":"\#(detail)"}"#)
      try await api.service.settle()
    }
  }

  @Test("While it is resized the power switch says that it is rebooting, and a delete is taken")
  func meanwhile() async throws {
    let api = try await TestAPI.make()
    let id = try await api.activeServer()
    _ = try await api.send(.post, "/servers/\(id)/resize/", #"{"plan_id": 1}"#)
    #expect(
      try await api.send(.post, "/servers/\(id)/stop/").text == #"{"detail":"Server is rebooting."}"#)
    #expect(try await api.send(.delete, "/servers/\(id)/").status == 204)
    try await api.service.settle()
    #expect(try await api.service.leftovers() == [])
  }

  @Test("Whoever waits learns what came of it, also of what does not show in the status")
  func wait() async throws {
    let api = try await TestAPI.make()
    let id = try await api.activeServer()
    _ = try await api.send(.post, "/servers/\(id)/stop/")
    try await api.service.settle()
    let resized = try await sendAndSettle(api, "/servers/\(id)/resize/", #"{"plan_id": 1}"#)
    #expect(try resized.json["message"] as? String == "Server is resized")
    #expect(try (resized.json["server"] as? [String: Any])?["status"] as? String == "stopped")
    let failed = try await sendAndSettle(api, "/servers/\(id)/rebuild/", #"{"os_id": 5}"#)
    #expect(failed.status == 200)
    #expect(try failed.json["status"] as? String == "error")
    #expect(try (failed.json["message"] as? String)?.hasPrefix("No image for this operating system") == true)
    let rebuilt = try await sendAndSettle(api, "/servers/\(id)/rebuild/", #"{"os_version": "3"}"#)
    #expect(try rebuilt.json["message"] as? String == "Server is rebuilt")
    #expect(try (rebuilt.json["server"] as? [String: Any])?["status"] as? String == "active")
  }

  private func sendAndSettle(_ api: TestAPI, _ path: String, _ body: String) async throws -> TestAPI.Reply {
    async let reply = api.send(.post, path, body, headers: [Self.prefer: "wait=60"])
    await api.service.clock.whenSleeping()
    try await api.service.settle()
    return try await reply
  }

  @Test("A rebuild without any key shows a new root password, this once; with one it shows none")
  func password() async throws {
    let api = try await TestAPI.make()
    let id = try await api.activeServer()
    let bare = try await api.send(.post, "/servers/\(id)/rebuild/")
    #expect(bare.status == 200)
    #expect(try bare.json["message"] as? String == "Server is rebuilding")
    let password = try #require(try bare.json["password"] as? String)
    try await api.service.settle()
    #expect(try await !api.send(.get, "/servers/\(id)/").text.contains(password))
    let key = try await api.send(.post, "/ssh-keys/", #"{"name": "k", "public_key": "\#(Self.key)"}"#)
    let uuid = try #require(try key.json["uuid"] as? String)
    let withKey = try await api.send(.post, "/servers/\(id)/rebuild/", #"{"ssh_keys": ["\#(uuid)"]}"#)
    #expect(withKey.status == 200)
    #expect(try withKey.json["password"] == nil)
    try await api.service.settle()
    #expect(try await api.service.store.server(ID(Int64(id)))?.machine.authorizedKey == Self.key)
  }

  @Test(
    "What is wrong with a rebuild is told all at once",
    arguments: [
      (
        #"{"os_id": 4, "ssh_key_id": 9}"#,
        #"{"os_id":["Invalid pk \"4\" - object does not exist."],"ssh_key_id":["Invalid pk \"9\" - object does not exist."]}"#
      ),
      (
        #"{"os_version": true, "ssh_keys": [9]}"#,
        #"{"os_version":["A valid integer or UUID is required."],"ssh_keys":["Invalid pk \"9\" - object does not exist."]}"#
      ),
    ])
  func wrongRebuilds(body: String, expected: String) async throws {
    let api = try await TestAPI.make()
    let id = try await api.activeServer()
    let reply = try await api.send(.post, "/servers/\(id)/rebuild/", body)
    #expect(reply.status == 400)
    #expect(reply.text == expected)
    #expect(try await api.service.contradictionsAtRest() == [])
  }
}
