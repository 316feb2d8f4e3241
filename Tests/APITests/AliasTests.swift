import Core
import Engine
import Foundation
import HTTPTypes
import SimulatedDriver
import TestSupport
import Testing

@Suite("Programs for the live API work unchanged")
struct AliasTests {
  private static let keys = [
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl a@b",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEUGsfE/1c+1jMvKFhG5bmUrNyuSIzrlGyRDJvWJBzzt c@d",
  ]

  @Test("What has a uuid answers to it wherever an id goes")
  func uuids() async throws {
    let api = try await TestAPI.make()
    let id = try await api.activeServer()
    let uuid = try #require(try await api.send(.get, "/servers/\(id)/").json["uuid"] as? String)
    #expect(try await api.send(.get, "/servers/\(uuid)/").json["id"] as? Int == id)
    #expect(try await api.send(.patch, "/servers/\(uuid.uppercased())/", #"{"name": "b"}"#).json["id"] as? Int == id)
    #expect(try await api.send(.post, "/servers/\(uuid)/stop/").status == 200)
    #expect(try await api.send(.delete, "/servers/\(uuid)/").status == 204)
    #expect(try await api.send(.get, "/servers/\(uuid)/").status == 404)

    let key = try await api.send(.post, "/ssh-keys/", #"{"name": "k", "public_key": "\#(Self.keys[0])"}"#)
    let keyUUID = try #require(try key.json["uuid"] as? String)
    #expect(try await api.send(.get, "/ssh-keys/\(keyUUID)/").text == key.text)
    #expect(try await api.send(.delete, "/ssh-keys/\(keyUUID)/").status == 204)

    for path in ["/plans/3/", "/operating-systems/5/"] {
      let byID = try await api.send(.get, path)
      let uuid = try #require(try byID.json["uuid"] as? String)
      let byUUID = try await api.send(.get, path.prefix { $0 != "5" && $0 != "3" } + "\(uuid)/")
      #expect(byUUID.text == byID.text)
    }
    #expect(try await api.send(.get, "/locations/us-east/").json["id"] as? Int == 2)
  }

  @Test("Another account's uuid cannot be told from one that does not exist")
  func anothers() async throws {
    let api = try await TestAPI.make()
    let id = try await api.activeServer()
    let uuid = try #require(try await api.send(.get, "/servers/\(id)/").json["uuid"] as? String)
    let key = try await api.send(.post, "/ssh-keys/", #"{"name": "k", "public_key": "\#(Self.keys[0])"}"#)
    let keyUUID = try #require(try key.json["uuid"] as? String)
    let (_, other) = try await api.service.newCaller()
    for (method, path) in [
      (HTTPRequest.Method.get, "/servers/\(uuid)/"), (.delete, "/servers/\(uuid)/"), (.post, "/servers/\(uuid)/stop/"),
      (.post, "/servers/\(uuid)/power/"), (.get, "/ssh-keys/\(keyUUID)/"), (.delete, "/ssh-keys/\(keyUUID)/"),
    ] {
      let reply = try await api.send(method, path, token: other.text)
      #expect(reply.status == 404)
      #expect(reply.text == #"{"detail":"Not found."}"#)
    }
    let body = #"{"hostname": "a", "location": 1, "plan": 3, "os_version": 3, "ssh_keys": ["\#(keyUUID)"]}"#
    let create = try await api.send(.post, "/servers/", body, token: other.text)
    #expect(create.text == #"{"ssh_keys":["Invalid pk \"\#(keyUUID)\" - object does not exist."]}"#)
  }

  @Test("Power has one path for all its actions")
  func power() async throws {
    let api = try await TestAPI.make()
    let id = try await api.activeServer()
    for (action, message, after) in [
      ("restart", "Server is rebooting", "active"), ("stop", "Server is stopping", "stopped"),
      ("start", "Server is starting", "active"), ("hard_stop", "Server is stopping", "stopped"),
    ] {
      let reply = try await api.send(.post, "/servers/\(id)/power/", #"{"action": "\#(action)"}"#)
      #expect(reply.status == 200)
      #expect(try reply.json["message"] as? String == message)
      try await api.service.settle()
      #expect(try await api.send(.get, "/servers/\(id)/").json["status"] as? String == after)
    }
    let again = try await api.send(.post, "/servers/\(id)/power/", #"{"action": "hard_stop"}"#)
    #expect(again.status == 400)
    #expect(again.text == #"{"detail":"Server is not running."}"#)
    let unknown = try await api.send(.post, "/servers/\(id)/power/", #"{"action": "explode"}"#)
    #expect(unknown.text == #"{"action":["\"explode\" is not a valid choice."]}"#)
    #expect(
      try await api.send(.post, "/servers/\(id)/power/", "{}").text == #"{"action":["This field is required."]}"#)
  }

  @Test("A hard stop takes the power from a guest that would ignore a shutdown, without waiting for it")
  func hardStop() async throws {
    var options = SimulatedDriver.Options()
    options.quirks = [.ignoresShutdown]
    let api = try await TestAPI.make(options: options)
    let id = try await api.activeServer()
    let asked = api.service.clock.now
    _ = try await api.send(.post, "/servers/\(id)/power/", #"{"action": "hard_stop"}"#)
    try await api.service.settle()
    #expect(try await api.service.status(of: ID(Int64(id))) == .stopped)
    #expect(api.service.clock.now - asked < api.service.driver.timing.shutdownDeadline)
  }

  @Test("A create takes the other names of its fields, by uuid or id, and installs every key of the list")
  func create() async throws {
    let api = try await TestAPI.make()
    var uuids: [String] = []
    for (number, key) in Self.keys.enumerated() {
      let reply = try await api.send(.post, "/ssh-keys/", #"{"name": "k\#(number)", "public_key": "\#(key)"}"#)
      uuids.append(try #require(try reply.json["uuid"] as? String))
    }
    let plan = try #require(try await api.send(.get, "/plans/3/").json["uuid"] as? String)
    let systems = try await api.send(.get, "/operating-systems/3/").json
    let version = try #require((systems["versions"] as? [[String: Any]])?.first?["uuid"] as? String)
    let created = try await api.send(
      .post, "/servers/",
      #"{"hostname": "web01.example.com", "location": 2, "plan": "\#(plan)", "os_version": "\#(version)","#
        + #" "ssh_keys": ["\#(uuids[0])", 2, "1"]}"#)
    #expect(created.status == 201)
    let json = try created.json
    #expect(json["name"] as? String == "web01")
    #expect(json["hostname"] as? String == "web01.example.com")
    #expect(json["location"] as? String == "us-east")
    #expect(json["plan_name"] as? String == "Nano VPS")
    #expect(json["password"] == nil)
    let id = try #require(json["id"] as? Int)
    let server = try #require(try await api.service.store.server(ID(Int64(id))))
    #expect(server.machine.authorizedKey == Self.keys.joined(separator: "\n"))
    let named = try await api.send(
      .post, "/servers/", #"{"name": "x", "hostname": "y", "location": "us-west", "plan": "3", "os_version": 3}"#)
    #expect(try named.json["name"] as? String == "x")
  }

  @Test("What is wrong is told by the names that were used")
  func errors() async throws {
    let api = try await TestAPI.make()
    let reply = try await api.send(
      .post, "/servers/", #"{"plan": 99, "os_version": true, "location": 9, "ssh_keys": "x"}"#)
    #expect(
      reply.text
        == #"{"plan":["Invalid pk \"99\" - object does not exist."],"#
        + #""os_version":["A valid integer or UUID is required."],"location":["\"9\" is not a valid choice."],"#
        + #""hostname":["This field is required."],"ssh_keys":["Expected a list of items but got type \"str\"."]}"#)
    #expect(try await api.service.store.allServers().isEmpty)
  }
}
