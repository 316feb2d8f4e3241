import Core
import Engine
import Foundation
import HTTPTypes
import TestSupport
import Testing

@testable import API

/// Programs that always write all fields say `null` for what they leave out.
@Suite("A field with two names means the same under both: null is absent, and what is given twice must agree")
struct TwoNamesTests {
  private static let keys = [
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl a@b",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEUGsfE/1c+1jMvKFhG5bmUrNyuSIzrlGyRDJvWJBzzt c@d",
  ]

  private func apiWithKeys() async throws -> TestAPI {
    let api = try await TestAPI.make()
    for (number, key) in Self.keys.enumerated() {
      _ = try await api.send(.post, "/ssh-keys/", #"{"name": "k\#(number)", "public_key": "\#(key)"}"#)
    }
    return api
  }

  private func authorizedKeys(_ api: TestAPI, _ id: Int) async throws -> [String] {
    let server = try #require(try await api.service.store.server(ID(Int64(id))))
    return server.machine.authorizedKey?.split(separator: "\n").map(String.init) ?? []
  }

  @Test(
    "A create installs every key that either field names",
    arguments: [
      (#""ssh_key_id": null, "ssh_keys": [1]"#, [0]), (#""ssh_key_id": 1, "ssh_keys": null"#, [0]),
      (#""ssh_key_id": 1, "ssh_keys": []"#, [0]), (#""ssh_key_id": 1, "ssh_keys": [2]"#, [0, 1]),
      (#""ssh_key_id": 1, "ssh_keys": [1, "2", 1]"#, [0, 1]), (#""ssh_key_id": null, "ssh_keys": null"#, []),
    ])
  func create(fields: String, installed: [Int]) async throws {
    let api = try await apiWithKeys()
    for form in [#""plan_id": 3, "os_id": 3"#, #""plan": 3, "os_version": 3"#] {
      let reply = try await api.send(
        .post, "/servers/", #"{"name": "a", "hostname": "a", "location": "us-west", \#(form), \#(fields)}"#)
      #expect(reply.status == 201)
      let id = try #require(try reply.json["id"] as? Int)
      #expect(try await authorizedKeys(api, id) == installed.map { Self.keys[$0] })
      #expect(try (reply.json["password"] != nil) == installed.isEmpty)
    }
  }

  @Test(
    "A key that is not there is told by the name of its field, whatever the other one says",
    arguments: [
      (#""ssh_key_id": 1, "ssh_keys": [999]"#, #"{"ssh_keys":["Invalid pk \"999\" - object does not exist."]}"#),
      (#""ssh_key_id": 999, "ssh_keys": [1]"#, #"{"ssh_key_id":["Invalid pk \"999\" - object does not exist."]}"#),
      (
        #""ssh_key_id": 998, "ssh_keys": [998]"#,
        #"{"ssh_key_id":["Invalid pk \"998\" - object does not exist."],"#
          + #""ssh_keys":["Invalid pk \"998\" - object does not exist."]}"#
      ),
      (#""ssh_key_id": "x", "ssh_keys": [1]"#, #"{"ssh_key_id":["A valid integer is required."]}"#),
      (#""ssh_keys": [999, 1, 999, "999"]"#, #"{"ssh_keys":["Invalid pk \"999\" - object does not exist."]}"#),
      (
        #""ssh_key_id": "x", "ssh_keys": [1, 999, "7c9e6679-7425-40de-944b-e07fc1f90ae7", true]"#,
        #"{"ssh_key_id":["A valid integer is required."],"ssh_keys":["A valid integer or UUID is required.","#
          + #""Invalid pk \"999\" - object does not exist.","#
          + #""Invalid pk \"7c9e6679-7425-40de-944b-e07fc1f90ae7\" - object does not exist."]}"#
      ),
    ])
  func unknownKeys(fields: String, expected: String) async throws {
    let api = try await apiWithKeys()
    let create = #"{"name": "a", "plan_id": 3, "os_id": 3, "location": "us-west", \#(fields)}"#
    let refused = try await api.send(.post, "/servers/", create)
    #expect(refused.status == 400)
    #expect(refused.text == expected)
    #expect(try await api.service.store.allServers().isEmpty)
    let id = try await api.activeServer()
    let rebuild = try await api.send(.post, "/servers/\(id)/rebuild/", "{\(fields)}")
    #expect(rebuild.status == 400)
    #expect(rebuild.text == expected)
    #expect(try await api.service.store.operations(of: ID(Int64(id))).count == 1)
  }

  @Test("A key that goes away while its server is made is told by a name that the client used")
  func namesOfKeys() throws {
    for (body, name) in [
      (#"{"ssh_key_id": 1}"#, "ssh_key_id"), (#"{"ssh_keys": [1]}"#, "ssh_keys"),
      (#"{"ssh_key_id": 1, "ssh_keys": null}"#, "ssh_key_id"), (#"{"ssh_key_id": 1, "ssh_keys": [2]}"#, "ssh_keys"),
    ] {
      guard case .object(let object) = try JSONValue(parsing: Array(body.utf8), maximumDepth: 4) else { continue }
      var fields = FieldReader(object, maximumElements: 50)
      let reader = ServerBody(catalogue: .initial, firewall: FirewallBody(RequestLimits()))
      #expect(reader.rebuildDraft(from: &fields).names[.sshKeys] == name)
      #expect(reader.draft(from: &fields).names[.sshKeys] == name)
    }
  }

  @Test(
    "A rebuild with new keys withdraws the old one",
    arguments: [
      (#""ssh_key_id": null, "ssh_keys": [2]"#, [1]), (#""ssh_keys": null, "ssh_key_id": 2"#, [1]),
      (#""ssh_key_id": 1, "ssh_keys": [2]"#, [0, 1]), (#""os_id": null, "os_version": null"#, [0]),
    ])
  func rebuild(fields: String, installed: [Int]) async throws {
    let api = try await apiWithKeys()
    let body = #"{"name": "a", "plan_id": 3, "os_id": 3, "location": "us-west", "ssh_key_id": 1}"#
    let id = try #require(try await api.send(.post, "/servers/", body).json["id"] as? Int)
    try await api.service.settle()
    #expect(try await api.send(.post, "/servers/\(id)/rebuild/", "{\(fields)}").status == 200)
    try await api.service.settle()
    #expect(try await authorizedKeys(api, id) == installed.map { Self.keys[$0] })
  }

  private static let disagreement = "This names something else than"

  @Test("Plan and operating system of a create may be named twice where both names mean the same")
  func planAndSystem() async throws {
    let api = try await TestAPI.make()
    let plan = try #require(try await api.send(.get, "/plans/3/").json["uuid"] as? String)
    let system = try #require(try await api.send(.get, "/operating-systems/3/").json["uuid"] as? String)
    for fields in [
      #""plan_id": 3, "plan": "\#(plan)", "os_id": 3, "os_version": "\#(system)""#,
      #""plan_id": null, "plan": 3, "os_id": null, "os_version": 3"#,
      #""plan_id": 3, "plan": null, "os_id": 3, "os_version": null"#, #""plan_id": 3, "os_version": "\#(system)""#,
    ] {
      let reply = try await api.send(
        .post, "/servers/", #"{"name": "a", "hostname": "a", "location": "us-west", \#(fields)}"#)
      #expect(reply.status == 201, "\(fields): \(reply.text)")
    }
    let named = try await api.send(
      .post, "/servers/",
      #"{"name": null, "hostname": "web01.example.com", "location": 2, "plan_id": null, "plan": 3, "os_id": null, "#
        + #""os_version": 3}"#)
    #expect(try named.json["name"] as? String == "web01")
    let count = try await api.service.store.allServers().count
    for (fields, expected) in [
      (#""plan_id": 3, "plan": 1, "os_id": 3"#, #"{"plan":["\#(Self.disagreement) plan_id."]}"#),
      (
        #""plan_id": 3, "plan": 99, "os_id": 3"#, #"{"plan":["Invalid pk \"99\" - object does not exist."]}"#
      ),
      (
        #""plan_id": 99, "plan": 3, "os_id": 3"#,
        #"{"plan_id":["Invalid pk \"99\" - object does not exist."],"plan":["\#(Self.disagreement) plan_id."]}"#
      ),
      (#""plan_id": 3, "os_id": 3, "os_version": 5"#, #"{"os_version":["\#(Self.disagreement) os_id."]}"#),
      (#""plan_id": null, "plan": null, "os_id": 3"#, #"{"plan_id":["This field may not be null."]}"#),
    ] {
      let reply = try await api.send(
        .post, "/servers/", #"{"name": "a", "hostname": "a", "location": "us-west", \#(fields)}"#)
      #expect(reply.status == 400)
      #expect(reply.text == expected)
    }
    #expect(try await api.service.store.allServers().count == count)
  }

  @Test("So may the plan of a resize and the system of a rebuild")
  func changes() async throws {
    let api = try await TestAPI.make()
    let id = try await api.activeServer()
    for (path, body, expected) in [
      ("resize", #"{"plan_id": 1, "plan": 2}"#, #"{"plan":["\#(Self.disagreement) plan_id."]}"#),
      ("resize", #"{"plan_id": 1, "plan": 99}"#, #"{"plan":["Invalid pk \"99\" - object does not exist."]}"#),
      ("resize", #"{"plan_id": null, "plan": null}"#, #"{"plan_id":["This field may not be null."]}"#),
      ("rebuild", #"{"os_id": 3, "os_version": 5}"#, #"{"os_version":["\#(Self.disagreement) os_id."]}"#),
      (
        "rebuild", #"{"os_id": 3, "os_version": 99}"#,
        #"{"os_version":["Invalid pk \"99\" - object does not exist."]}"#
      ),
    ] {
      let reply = try await api.send(.post, "/servers/\(id)/\(path)/", body)
      #expect(reply.status == 400)
      #expect(reply.text == expected)
    }
    #expect(try await api.service.store.operations(of: ID(Int64(id))).count == 1)
    #expect(try await api.send(.post, "/servers/\(id)/resize/", #"{"plan_id": null, "plan": 1}"#).status == 200)
    try await api.service.settle()
    #expect(try await api.send(.post, "/servers/\(id)/rebuild/", #"{"os_id": null, "os_version": 3}"#).status == 200)
    try await api.service.settle()
    #expect(try await api.send(.post, "/servers/\(id)/rebuild/", #"{"os_id": 3, "os_version": 3}"#).status == 200)
  }

  @Test("A label and a description of a backup are one text")
  func label() async throws {
    let api = try await TestAPI.make()
    let id = try await api.activeServer()
    for (body, description) in [
      (#"{"label": "a", "description": null}"#, "a"), (#"{"label": null, "description": "b"}"#, "b"),
      (#"{"label": "c", "description": "c"}"#, "c"), (#"{"label": "d", "description": " "}"#, "d"),
      (#"{"label": null, "description": null}"#, ""),
    ] {
      let reply = try await api.send(.post, "/servers/\(id)/backup/", body)
      #expect(try reply.json["description"] as? String == description)
    }
    let refused = try await api.send(.post, "/servers/\(id)/backup/", #"{"label": "a", "description": "b"}"#)
    #expect(refused.status == 400)
    #expect(refused.text == #"{"label":["This says something else than description."]}"#)
    #expect(try await api.send(.get, "/backups/").json["count"] as? Int == 5)
  }
}
