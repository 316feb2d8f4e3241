import Core
import Engine
import Foundation
import HTTPTypes
import SimulatedDriver
import TestSupport
import Testing

@Suite("Everybody's servers and what is for sale, in the hands of an operator's program")
struct OperatorServerTests {
  /// The second account is a customer's, and has the first server.
  private func api() async throws -> TestAPI {
    let api = try await TestAPI.powerful(try await TestService()).api
    _ = try await api.send(.post, "/operator/accounts/", #"{"email": "ada@example.com", "credit": "10.00"}"#)
    let made = try await api.send(.post, "/operator/servers/", Self.server)
    #expect(made.status == 201 && made.text.hasSuffix(Self.account + "}"), "\(made.text)")
    try await api.service.settle()
    return api
  }

  private static let server =
    #"{"account_id": 2, "name": "a", "plan_id": 3, "os_id": 3, "location": "us-west", "delete_protection": true}"#
  private static let account = #""account":{"id":2,"email":"ada@example.com"}"#

  @Test("A server is its customer's in every respect: paid, seen and with keys of that account")
  func create() async throws {
    let api = try await api()
    let (_, customer) = try await api.service.newToken(of: ID(2), permissions: [.everything])
    #expect(try await api.send(.get, "/servers/1/", token: customer.text).status == 200)
    #expect(try await api.send(.get, "/servers/1/").status == 404)
    #expect(try await api.service.store.account(ID(2))?.balance.decimal == "9.995")
    for (account, message) in [
      ("99", #"Invalid pk \"99\" - object does not exist."#), ("0", #"Invalid pk \"0\" - object does not exist."#),
      ("-2", #"Invalid pk \"-2\" - object does not exist."#), (#""x""#, "A valid integer is required."),
      ("null", "This field may not be null."),
    ] {
      let reply = try await api.send(.post, "/operator/servers/", #"{"account_id": \#(account), "name": "-"}"#)
      #expect(reply.status == 400 && reply.text.hasPrefix(#"{"account_id":["\#(message)"],"name":["#), "\(reply.text)")
    }
    let key = try await api.send(
      .post, "/ssh-keys/",
      #"{"name": "k", "public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl a"}"#
    )
    #expect(key.status == 201)
    let foreign = try await api.send(
      .post, "/operator/servers/",
      #"{"account_id": 2, "name": "b", "plan_id": 3, "os_id": 3, "location": "us-west", "ssh_key_id": 1}"#)
    #expect(foreign.text == #"{"ssh_key_id":["Invalid pk \"1\" - object does not exist."]}"#)
  }

  @Test("Lists and details have the account behind all that the customer sees, and filters tell them apart")
  func read() async throws {
    let api = try await api()
    _ = try await api.createServer(name: "own")
    let list = try await api.send(.get, "/operator/servers/?account_id=2")
    #expect(try list.json["count"] as? Int == 1 && list.text.contains(Self.account))
    #expect(try await api.send(.get, "/operator/servers/").json["count"] as? Int == 2)
    for (query, count) in [
      ("account_id=99", 0), ("status=active", 1), ("location=us-east", 0), ("name=A", 1), ("search=OW", 1),
      ("host_id=1", 2), ("host_id=7", 0), ("page_size=1&after=1", 2),
    ] {
      let reply = try await api.send(.get, "/operator/servers/?" + query)
      #expect(try reply.json["count"] as? Int == count, "\(query): \(reply.text)")
    }
    for query in ["account_id=x", "account_id=-1", "host_id=1e3", "status=mars", "location=mars", "ordering=x"] {
      #expect(try await api.send(.get, "/operator/servers/?" + query).status == 400, "\(query)")
    }
    let uuid = try #require(try await api.send(.get, "/operator/servers/1/").json["uuid"] as? String)
    let detail = try await api.send(.get, "/operator/servers/\(uuid)/")
    #expect(detail.text.hasSuffix(#""throttled_mbit":null,\#(Self.account)}"#) && detail.headers[.eTag] != nil)
  }

  @Test("Protection binds the customer, and not the operator")
  func protection() async throws {
    let api = try await api()
    let (_, customer) = try await api.service.newToken(of: ID(2), permissions: [.everything])
    for (method, path) in [(HTTPRequest.Method.delete, "/servers/1/"), (.post, "/servers/1/rebuild/")] {
      #expect(try await api.send(method, path, token: customer.text).status == 403)
    }
    #expect(try await api.send(.post, "/operator/servers/1/rebuild/").status == 200)
    try await api.service.settle()
    #expect(try await api.send(.delete, "/operator/servers/1/", headers: [.ifMatch: "\"x\""]).status == 412)
    #expect(try await api.send(.delete, "/operator/servers/1/").status == 204)
    #expect(try await api.send(.get, "/operator/servers/1/").status == 404)
    #expect(try await api.send(.delete, "/operator/servers/1/").status == 404)
    try await api.service.settle()
    #expect(try await api.service.leftovers() == [])
  }

  @Test("One server is suspended and brought back, whatever its customer does")
  func suspension() async throws {
    let api = try await api()
    await api.service.billing.pollOnce()
    let (_, customer) = try await api.service.newToken(of: ID(2), permissions: [.everything])
    let reply = try await api.send(.post, "/operator/servers/1/suspend/", #"{"reason": "Spam"}"#)
    #expect(
      reply.text == #"{"status":"success","message":"Server is being suspended","#
        + #""server":{"id":1,"name":"a","status":"active"}}"#)
    api.service.clock.advance(by: .seconds(2))
    await api.service.billing.pollOnce()
    try await api.service.settle()
    #expect(try await api.send(.get, "/servers/1/", token: customer.text).json["status"] as? String == "suspended")
    #expect(try await api.send(.post, "/servers/1/start/", token: customer.text).status == 400)
    #expect(try await api.send(.post, "/operator/servers/1/resume/").status == 200)
    api.service.clock.advance(by: .seconds(2))
    await api.service.billing.pollOnce()
    try await api.service.settle()
    #expect(try await api.send(.get, "/servers/1/", token: customer.text).json["status"] as? String == "active")
    let long = String(repeating: "a", count: 256)
    #expect(try await api.send(.post, "/operator/servers/1/suspend/", #"{"reason": "\#(long)"}"#).status == 400)
  }

  @Test("What a server used and cost in a month is told, also where it was nothing")
  func usage() async throws {
    let api = try await api()
    await api.service.billing.pollOnce()
    let now = try await api.send(.get, "/operator/servers/1/usage/")
    #expect(
      now.text.hasPrefix(
        #"{"month":"2025-01","currency":"USD","id":1,"name":"a","plan":"Nano VPS","hours":1,"amount":"0.005000""#),
      "\(now.text)")
    #expect(now.text.hasSuffix(Self.account + "}"))
    let before = try await api.send(.get, "/operator/servers/1/usage/?month=2024-12")
    #expect(before.text.contains(#""hours":0,"amount":"0.000000","backups":"0.000000""#))
    #expect(try await api.send(.get, "/operator/servers/1/usage/?month=2024-13").status == 400)
    let statement = try await api.send(.get, "/operator/accounts/2/usage/")
    #expect(statement.text.contains(#""total":"0.005000","servers":[{"id":1,"#))
  }

  @Test("What is for sale is changed and sold, and what cannot be is refused by its field")
  func catalogue() async throws {
    let api = try await api()
    let size = #""vcpus": 1, "memory": 512, "storage": 5, "bandwidth": 9"#
    let plan = #"{"name": "Tiny VPS", \#(size), "price_hourly": "0.001"}"#
    let made = try await api.send(.post, "/operator/plans/", plan)
    #expect(made.status == 201 && made.text.contains(#""slug":"tiny-vps""#))
    #expect(made.text.hasSuffix(#""cpu_weight":100,"disk_iops":0,"disk_throughput":0}"#))
    #expect(try await api.send(.post, "/operator/plans/", plan).status == 409)
    for (field, value) in [
      ("vcpus", "0"), ("memory", "1"), ("storage", "99999999999"), ("bandwidth", "-1"), ("price_hourly", #""1e9""#),
      ("price_hourly", "0.5"), ("slug", #""A b""#), ("locations", #"["mars"]"#), ("name", #""""#),
      ("cpu_weight", "10001"), ("description", #""\u001b""#), ("available", "7"),
    ] {
      let reply = try await api.send(.patch, "/operator/plans/3/", #"{"\#(field)": \#(value)}"#)
      #expect(try reply.status == 400 && reply.json.keys.elementsEqual([field]), "\(field): \(reply.text)")
    }
    #expect(try await api.send(.patch, "/operator/plans/3/", #"{"memory": 1024}"#).status == 400)
    let repriced = try await api.send(
      .patch, "/operator/plans/3/", #"{"price_hourly": "0.006", "applies_to_existing": true, "available": false}"#)
    #expect(repriced.text.contains(#""price_hourly":0.006,"available":false"#))
    #expect(try await api.send(.get, "/operator/accounts/2/").text.contains(#""hourly_cost":0.006"#))
    #expect(try await api.send(.patch, "/operator/operating-systems/3/", #"{"username": "debian"}"#).status == 400)
    #expect(try await api.send(.patch, "/operator/operating-systems/5/", #"{"username": "ubuntu"}"#).status == 200)
    #expect(try await api.send(.patch, "/operator/operating-systems/5/", #"{"username": "-x"}"#).status == 400)
    let number = #"{"code": "7", "name": "E", "country_code": "bg", "country_name": "B"}"#
    let refused = try await api.send(.post, "/operator/locations/", number)
    #expect(try Set(refused.json.keys) == ["code", "country_code"])
    #expect(try await api.send(.patch, "/operator/locations/us-east/", #"{"is_active": false}"#).status == 200)
  }

  @Test("A host that drains gets no more servers, and the images tell who was made from them")
  func hosts() async throws {
    let api = try await api()
    let drained = try await api.send(.post, "/operator/hosts/1/drain/")
    #expect(drained.text.contains(#""state":"draining","servers":1,"reserved":{"vcpus":1,"memory":512,"storage":5}"#))
    #expect(try await api.send(.post, "/operator/servers/", Self.server).status == 503)
    #expect(try await api.send(.post, "/operator/hosts/1/undrain/").text.contains(#""state":"active""#))
    #expect(try await api.send(.post, "/operator/servers/", Self.server).status == 201)
    #expect(try await api.send(.post, "/operator/hosts/7/drain/").status == 404)
    #expect(try await api.send(.post, "/operator/hosts/1/drain/", "null").status == 200)
    api.service.driver.configure { $0.absences["ubuntu-22.04"] = .beingFetched(.waiting) }
    let images = try await api.send(.get, "/operator/images/")
    #expect(images.text.contains(#""image":"debian-12","os":{"id":3,"name":"Debian 12"},"available":true,"servers":2"#))
    #expect(images.text.contains(#""hosts":[{"host":"local","status":"waiting"}]"#))
  }
}
