import Core
import Engine
import Foundation
import HTTPTypes
import SQLStore
import SimulatedDriver
import TestSupport
import Testing

@testable import API

@Suite("What customers ask of a server beside its size")
struct ServerOptionTests {
  private static func body(_ more: String) -> String {
    #"{"name": "a", "plan_id": 3, "os_id": 3, "location": "us-west", \#(more)}"#
  }

  private static let keyHeader = HTTPField.Name("Idempotency-Key")!

  @Test("Labels are shown wherever a server is, and replaced as a whole; left out in PUT and PATCH they stay")
  func labels() async throws {
    let api = try await TestAPI.make()
    let created = try await api.send(
      .post, "/servers/", Self.body(#""labels": {"tier": "web", "example.com/env": ""}"#))
    #expect(
      created.text.contains(
        #""labels":{"example.com/env":"","tier":"web"},"delete_protection":false,"instant":false,"rescue":false"#),
      "\(created.text)")
    try await api.service.settle()
    for path in ["/servers/", "/servers/1/"] {
      #expect(try await api.send(.get, path).text.contains(#""labels":{"example.com/env":"","tier":"web"}"#))
    }
    let whole = #"{"name": "a", "hostname": "a", "backups_enabled": false}"#
    let same = try await api.send(.put, "/servers/1/", whole)
    #expect((same.status, (try same.json["labels"] as? [String: String])?["tier"]) == (200, "web"))
    let tag = try #require(same.headers[.eTag])
    let changed = try await api.send(
      .patch, "/servers/1/", #"{"labels": {"a": "b", "a": "c"}}"#, headers: [.ifMatch: tag])
    #expect(try changed.json["labels"] as? [String: String] == ["a": "c"])
    #expect(changed.headers[.eTag] != tag)
    #expect(try await api.send(.patch, "/servers/1/", #"{"labels": {}}"#, headers: [.ifMatch: tag]).status == 412)
    #expect(try await api.send(.patch, "/servers/1/", #"{"labels": {}}"#).json["labels"] as? [String: String] == [:])
    #expect(try await api.service.contradictionsAtRest() == [])
  }

  @Test("What is wrong with labels is told of each, and changes nothing")
  func wrongLabels() async throws {
    let api = try await TestAPI.make()
    _ = try await api.createServer()
    func errors(_ labels: String) async throws -> String {
      let reply = try await api.send(.patch, "/servers/1/", #"{"name": "b", "labels": \#(labels)}"#)
      #expect(reply.status == 400)
      return reply.text
    }
    #expect(try await errors("null") == #"{"labels":["This field may not be null."]}"#)
    #expect(try await errors("[1]").contains("Expected a dictionary of items"))
    #expect(try await errors(#"{"a": 1, "ok": "x"}"#) == #"{"labels":{"a":["Not a valid string."]}}"#)
    #expect(try await errors(#"{"-a": "x"}"#).contains(#"{"labels":{"-a":["Enter a valid key"#))
    #expect(try await errors(#"{"a": "é"}"#).contains(#"{"labels":{"a":["Enter a valid value"#))
    let many = (0..<65).map { #""k\#($0)": "v""# }.joined(separator: ",")
    #expect(try await errors("{\(many)}") == #"{"labels":["Ensure this field has no more than 64 labels."]}"#)
    let long = String(repeating: "x", count: 100_000)
    #expect(try await errors(#"{"\#(long)": "v"}"#).utf8.count < 1000)
    #expect(try await api.send(.get, "/servers/1/").json["name"] as? String != "b")
  }

  @Test("A list shows those whose labels are selected, with its counts and pages")
  func selector() async throws {
    let api = try await TestAPI.make()
    for (name, tier) in [("a", "web"), ("b", "db"), ("c", "web"), ("d", "web")] {
      let body =
        #"{"name": "\#(name)", "plan_id": 3, "os_id": 3, "location": "us-west", "labels": {"tier": "\#(tier)"}}"#
      #expect(try await api.send(.post, "/servers/", body).status == 201)
    }
    func names(_ query: String) async throws -> [String] {
      let reply = try await api.send(.get, "/servers/?" + query)
      let results = try #require(try reply.json["results"] as? [[String: Any]])
      return results.compactMap { $0["name"] as? String }
    }
    #expect(try await names("label_selector=tier%3Dweb") == ["a", "c", "d"])
    #expect(try await names("label_selector=tier%20in%20(db,x)") == ["b"])
    #expect(try await names("label_selector=tier!=web,tier&ordering=-id") == ["b"])
    #expect(try await names("label_selector=tier%3Dweb&page_size=2&page=2") == ["d"])
    #expect(try await names("label_selector=tier%3Dweb&page_size=1&after=1") == ["c"])
    let page = try await api.send(.get, "/servers/?label_selector=tier%3Dweb&page_size=2")
    #expect(try page.json["count"] as? Int == 3)
    #expect((try page.json["next"] as? String)?.contains("label_selector=tier%3Dweb") == true)
    let wrong = try await api.send(.get, "/servers/?label_selector=%3D%3D&status=x")
    #expect(wrong.status == 400)
    #expect(try Set(wrong.json.keys) == ["status", "label_selector"])
  }

  @Test(
    "A protected server can neither be deleted nor rebuilt by its customer, with whatever token, until that is taken back"
  )
  func protection() async throws {
    let api = try await TestAPI.make()
    #expect(
      try await api.send(.post, "/servers/", Self.body(#""delete_protection": true"#)).json["delete_protection"]
        as? Bool == true)
    try await api.service.settle()
    for (method, path) in [(HTTPRequest.Method.delete, "/servers/1/"), (.post, "/servers/1/rebuild/")] {
      let reply = try await api.send(method, path)
      #expect((reply.status, reply.text) == (403, #"{"detail":"Server is protected from deletion."}"#))
    }
    #expect(
      try await api.send(.put, "/servers/1/", #"{"name": "a", "hostname": "a", "backups_enabled": false}"#).status
        == 200)
    #expect(try await api.send(.delete, "/servers/1/").status == 403)
    #expect(try await api.send(.patch, "/servers/1/", #"{"delete_protection": false}"#).status == 200)
    #expect(try await api.send(.delete, "/servers/1/").status == 204)
    try await api.service.settle()
    #expect(try await api.service.leftovers() == [])
  }

  @Test("The operator deletes one that is protected")
  func operatorDeletes() async throws {
    let service = try await TestService()
    var draft = service.draft()
    draft.isDeleteProtected = true
    let id = try await service.servers.create(draft, service.owner).view.server.id
    try await service.settle()
    _ = try await service.database.requestDeletion(of: id, at: service.clock.now)
    try await service.settle()
    #expect(try await service.status(of: id) == nil)
  }

  @Test(
    "User data is a cloud-config or a script of 64 KiB at most; anything else is an error of its field",
    arguments: [
      ("hello", "Begin with the line #cloud-config, or with #! for a script."), (" #!/bin/sh", "Begin with"),
      ("#cloud-configuration\\n", "Begin with"), ("#!\\u0000", "Null characters are not allowed."),
    ])
  func wrongUserData(text: String, message: String) async throws {
    let api = try await TestAPI.make()
    _ = try await api.createServer()
    for path in ["/servers/", "/servers/1/rebuild/"] {
      let reply = try await api.send(.post, path, Self.body(#""user_data": "\#(text)""#))
      #expect(reply.status == 400 && reply.text.contains(#"{"user_data":["\#(message)"#), "\(reply.text)")
    }
  }

  @Test("User data of exactly 64 KiB is taken, and one byte more is not; no reply and no kept answer shows it")
  func userDataBounds() async throws {
    let api = try await TestAPI.make()
    let start = "#cloud-config\\n# s3cr3t"
    let longest = start + String(repeating: "x", count: (64 << 10) - start.utf8.count + 1)
    let reply = try await api.send(
      .post, "/servers/", Self.body(#""user_data": "\#(longest)""#), headers: [Self.keyHeader: "a"])
    #expect(reply.status == 201)
    let tooLong = try await api.send(.post, "/servers/", Self.body(#""user_data": "\#(longest)x""#))
    #expect(tooLong.text == #"{"user_data":["Ensure this field has no more than 65536 bytes."]}"#)
    try await api.service.settle()
    for path in ["/servers/", "/servers/1/", "/servers/1/operations/"] {
      #expect(try await !api.send(.get, path).text.contains("s3cr3t"))
    }
    #expect(!reply.text.contains("s3cr3t"))
    #expect(try await api.service.content().range(of: Data("s3cr3t".utf8)) == nil)
  }

  @Test("A server that came from a template says so, wherever it is shown")
  func instant() async throws {
    var options = SimulatedDriver.Options()
    options.quirks = [.isInstant]
    let api = try await TestAPI.make(options: options)
    _ = try await api.createServer()
    #expect(try await api.send(.get, "/servers/1/").json["instant"] as? Bool == false)
    try await api.service.settle()
    #expect(try await api.send(.get, "/servers/1/").json["instant"] as? Bool == true)
    #expect(try await api.send(.get, "/servers/").text.contains(#""instant":true"#))
  }

  @Test("The rescue system is entered with a password that is shown once, or with a key, and left")
  func rescue() async throws {
    let api = try await TestAPI.make()
    _ = try await api.createServer()
    try await api.service.settle()
    let entered = try await api.send(.post, "/servers/1/rescue/", headers: [Self.keyHeader: "r"])
    #expect(entered.status == 200)
    #expect(
      entered.text.hasPrefix(#"{"status":"success","message":"Server is booting the rescue system","server":{"id":1,"#),
      "\(entered.text)")
    #expect(entered.text.contains(#""status":"rebooting"},"password":""#))
    #expect(try await api.send(.post, "/servers/1/rescue/", headers: [Self.keyHeader: "r"]).text == entered.text)
    try await api.service.settle()
    let inside = try await api.send(.get, "/servers/1/").json
    #expect((inside["status"] as? String, inside["rescue"] as? Bool) == ("active", true))
    let left = try await api.send(.delete, "/servers/1/rescue/")
    #expect(left.text.contains("Server is leaving the rescue system"))
    try await api.service.settle()
    #expect(try await api.send(.get, "/servers/1/").json["rescue"] as? Bool == false)
    let again = try await api.send(.delete, "/servers/1/rescue/")
    #expect((again.status, again.text) == (400, #"{"detail":"Server is not in the rescue system."}"#))
    let wrong = try await api.send(.post, "/servers/1/rescue/", #"{"ssh_key_id": 99}"#)
    #expect((wrong.status, wrong.text) == (400, #"{"ssh_key_id":["Invalid pk \"99\" - object does not exist."]}"#))
  }

  @Test("Another password is set by the guest's agent, is shown once, and is nowhere in the database")
  func resetPassword() async throws {
    let api = try await TestAPI.make()
    _ = try await api.createServer()
    try await api.service.settle()
    let service = api.service
    let uuid = try #require(try await service.store.server(ID(1))).uuid
    let reply = try await api.send(.post, "/servers/1/reset-password/", headers: [Self.keyHeader: "p"])
    #expect(reply.status == 200)
    let password = try #require(try reply.json["password"] as? String)
    #expect(try reply.json.keys.count == 1 && password.count == 20)
    let hash = try #require(service.driver.machine(uuid)?.disk?.passwordHashes?["root"])
    #expect(hash.hasPrefix("$6$") && !hash.contains(password))
    #expect(try await api.send(.post, "/servers/1/reset-password/", headers: [Self.keyHeader: "p"]).text == reply.text)
    #expect(service.driver.machine(uuid)?.disk?.passwordHashes?["root"] == hash)
    let stored = try await service.content()
    #expect(stored.range(of: Data(password.utf8)) == nil && stored.range(of: Data(hash.utf8)) == nil)

    try service.driver.setQuirks([.agentNeverAnswers], of: uuid)
    let silent = try await api.send(.post, "/servers/1/reset-password/", headers: [Self.keyHeader: "q"])
    #expect((silent.status, silent.text) == (503, #"{"detail":"The server does not answer at the moment."}"#))
    #expect(silent.headers[.retryAfter] != nil)
    try service.driver.setQuirks([], of: uuid)
    // What was refused changed nothing, and can be asked again with the same key.
    #expect(try await api.send(.post, "/servers/1/reset-password/", headers: [Self.keyHeader: "q"]).status == 200)
    _ = try await api.send(.post, "/servers/1/stop/")
    for _ in 0..<2 {
      let off = try await api.send(.post, "/servers/1/reset-password/")
      #expect((off.status, off.text) == (400, #"{"detail":"Server is not running."}"#))
      try await service.settle()
    }
  }
}
