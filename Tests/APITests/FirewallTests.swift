import Core
import Engine
import Foundation
import HTTPTypes
import SQLStore
import SimulatedDriver
import TestSupport
import Testing

@testable import API

@Suite("The firewall of a server")
struct FirewallTests {
  private static let idempotencyKey = HTTPField.Name("Idempotency-Key")!
  private static let ssh =
    #"{"direction":"in","protocol":"tcp","port":"22","source_ips":["0.0.0.0/0","::/0"],"destination_ips":[],"description":"ssh"}"#
  private static let ping =
    #"{"direction":"in","protocol":"icmp","port":null,"source_ips":[],"destination_ips":[],"description":""}"#

  private static func body(_ rules: String...) -> String {
    #"{"enabled":true,"rules":[\#(rules.joined(separator: ","))]}"#
  }

  private func enforcing() async throws -> TestAPI {
    var options = SimulatedDriver.Options()
    options.enforcesFirewalls = true
    return try await TestAPI.make(options: options)
  }

  private func put(_ api: TestAPI, _ body: String, headers: HTTPFields = [:], token: String? = nil) async throws
    -> TestAPI.Reply
  {
    try await api.send(.put, "/servers/1/firewall/", body, token: token, headers: headers)
  }

  private func firewall(_ api: TestAPI) async throws -> TestAPI.Reply {
    try await api.send(.get, "/servers/1/firewall/")
  }

  @Test("It is off until somebody turns it on, and shown as it was written")
  func shown() async throws {
    let api = try await TestAPI.make()
    _ = try await api.createServer()
    let created = try #require(try await api.send(.get, "/servers/1/").json["created_at"] as? String)
    #expect(
      try await firewall(api).text == #"{"enabled":false,"enforced":false,"rules":[],"updated_at":"\#(created)"}"#)
    api.service.clock.advance(by: .seconds(60))
    let reply = try await put(api, Self.body(Self.ssh, Self.ping))
    #expect(reply.status == 200)
    let now = api.service.clock.now.wireFormat
    #expect(
      reply.text == #"{"enabled":true,"enforced":false,"rules":[\#(Self.ssh),\#(Self.ping)],"updated_at":"\#(now)"}"#)
    #expect(try await firewall(api).text == reply.text)
    // What was read can be sent back, and is no change.
    api.service.clock.advance(by: .seconds(60))
    #expect(try await put(api, reply.text).text == reply.text)
    #expect(try await api.service.database.auditTrail(newest: 10).filter { $0.action == "server.firewall" }.count == 1)
  }

  @Test("What may be left out is left out, a port may be a number, and everything has one way to be written")
  func defaults() async throws {
    let api = try await TestAPI.make()
    _ = try await api.createServer()
    let reply = try await put(
      api,
      Self.body(
        #"{"direction":"out","protocol":"udp","port":53,"destination_ips":["2001:DB8:0::/32"],"description":null}"#,
        #"{"direction":"in","protocol":"gre"}"#))
    #expect(reply.status == 200)
    let rules = try #require(try reply.json["rules"] as? [[String: Any]])
    #expect(rules[0]["port"] as? String == "53" && rules[0]["description"] as? String == "")
    #expect(rules[0]["destination_ips"] as? [String] == ["2001:db8::/32"])
    #expect(rules[1]["port"] is NSNull && rules[1]["source_ips"] as? [String] == [])
  }

  @Test(
    "What is wrong with a rule is told at its place, everything at once, and changes nothing",
    arguments: [
      ("{}", #"{"enabled":["This field is required."],"rules":["This field is required."]}"#),
      (
        #"{"enabled":null,"rules":null}"#,
        #"{"enabled":["This field may not be null."],"rules":["This field may not be null."]}"#
      ),
      (
        #"{"enabled":true,"rules":{}}"#,
        #"{"rules":{"non_field_errors":["Expected a list of items but got type \"dict\"."]}}"#
      ),
      (
        #"{"enabled":true,"rules":[7]}"#,
        #"{"rules":[{"non_field_errors":["Invalid data. Expected a dictionary, but got int."]}]}"#
      ),
      (
        body(ssh, #"{"direction":"up","protocol":"tcp","port":"0"}"#, "{}"),
        #"{"rules":[{},{"direction":["\"up\" is not a valid choice."],"port":["Enter a port from 1 to 65535, like \"22\", a range of ports, like \"80-85\", or \"any\"."]},"#
          + #"{"direction":["This field is required."],"protocol":["This field is required."]}]}"#
      ),
      (
        body(#"{"direction":"in","protocol":"udp","source_ips":["10.0.0.0/8","203.0.113.5/24",7]}"#),
        #"{"rules":[{"port":["This field is required for tcp and udp."],"source_ips":{"1":["The address has bits set beyond the length of the network: enter its first address, like 203.0.113.0/24."],"#
          + #""2":["Enter a network in CIDR notation, like 203.0.113.0/24, 2001:db8::/32 or, for one address, 203.0.113.5/32."]}}]}"#
      ),
      (
        body(#"{"direction":"in","protocol":"icmp","port":"8","destination_ips":["0.0.0.0/0"]}"#),
        #"{"rules":[{"port":["Only tcp and udp have ports: leave this out, or null."],"destination_ips":["A rule for what comes in has sources only."]}]}"#
      ),
      (
        body(#"{"direction":"in","protocol":"tcp","port":true,"source_ips":"0.0.0.0/0"}"#),
        #"{"rules":[{"port":["Not a valid string."],"source_ips":["Expected a list of items but got type \"str\"."]}]}"#
      ),
      (
        body(ssh, ping, ssh.replacingOccurrences(of: #""description":"ssh""#, with: #""description":"again""#)),
        #"{"rules":[{},{},{"non_field_errors":["An earlier rule lets the same through."]}]}"#
      ),
    ])
  func errors(body: String, text: String) async throws {
    let api = try await TestAPI.make()
    _ = try await api.createServer()
    let before = try await firewall(api).text
    let reply = try await put(api, body)
    #expect(reply.status == 400)
    #expect(reply.text == text)
    #expect(try await firewall(api).text == before)
  }

  @Test(
    "A firewall has a hundred rules, or as many as the operator says, a rule fifty networks, a description 255 characters"
  )
  func limits() async throws {
    let api = try await TestAPI.make()
    _ = try await api.createServer()
    func rules(_ count: Int) -> String {
      let rules = (1...count).map { #"{"direction":"in","protocol":"tcp","port":\#($0)}"# }
      return #"{"enabled":true,"rules":[\#(rules.joined(separator: ","))]}"#
    }
    #expect(try await put(api, rules(100)).status == 200)
    let message = #"{"rules":{"non_field_errors":["Ensure this field has no more than 100 elements."]}}"#
    #expect(try await put(api, rules(101)).text == message)
    var few = TestAPI.noLimits
    few.firewallRules = 1
    #expect(try await put(TestAPI(api.service, limits: few), rules(2)).status == 400)
    few = TestAPI.noLimits
    few.firewallNetworks = 3
    let four = ["192.0.2.0/24\",\"198.51.100.0/24", "2001:db8::/32\",\"203.0.113.0/24"].map {
      #"{"direction":"in","protocol":"esp","source_ips":["\#($0)"]}"#
    }
    #expect(
      try await put(TestAPI(api.service, limits: few), Self.body(four.joined(separator: ","))).text
        == #"{"rules":{"non_field_errors":["Ensure that all rules together have no more than 3 networks."]}}"#)
    let networks = (0...50).map { "\"192.0.2.\($0)/32\"" }
    let rule = #"{"direction":"in","protocol":"esp","source_ips":[%]}"#
    func reply(_ count: Int) async throws -> TestAPI.Reply {
      try await put(api, Self.body(rule.replacing("%", with: networks.prefix(count).joined(separator: ","))))
    }
    #expect(try await reply(50).status == 200)
    #expect(
      try await reply(51).text == #"{"rules":[{"source_ips":["Ensure this field has no more than 50 elements."]}]}"#)
    let described = Self.ssh.replacing(#""ssh""#, with: "\"\(String(repeating: "é", count: 256))\"")
    #expect(
      try await put(api, Self.body(described)).text
        == #"{"rules":[{"description":["Ensure this field has no more than 255 characters."]}]}"#)
  }

  @Test(
    "However much is wrong, what is told of it is bounded, and texts that are expensive to compare cost their length")
  func bounded() async throws {
    let api = try await TestAPI.make()
    _ = try await api.createServer()
    let networks = Array(repeating: "\"x\"", count: 50).joined(separator: ",")
    let rule = #"{"direction":"in","protocol":"esp","source_ips":[\#(networks)]}"#
    let many = try await put(
      api, #"{"enabled":true,"rules":[\#(Array(repeating: rule, count: 100).joined(separator: ","))]}"#)
    #expect(many.status == 400 && many.text.utf8.count < 200_000)
    let marks = HostileTextTests.marks(200_000)
    let took = try await ContinuousClock().measure {
      for field in ["direction", "protocol", "port", "description"] {
        let reply = try await put(api, Self.body(#"{"\#(field)":"\#(marks)"}"#))
        #expect(reply.status == 400 && reply.text.utf8.count < 1024, "\(field)")
      }
      for field in ["source_ips", "destination_ips"] {
        let reply = try await put(api, Self.body(#"{"\#(field)":["\#(marks)"]}"#))
        #expect(reply.status == 400 && reply.text.utf8.count < 1024, "\(field)")
      }
    }
    #expect(took < .seconds(60))
  }

  @Test("Nobody overwrites what somebody else changed meanwhile")
  func preconditions() async throws {
    let api = try await TestAPI.make()
    _ = try await api.createServer()
    let tag = try #require(try await firewall(api).headers[.eTag])
    let changed = try await put(api, Self.body(Self.ssh), headers: [.ifMatch: tag])
    #expect(changed.status == 200 && changed.headers[.eTag] != tag)
    let refused = try await put(api, Self.body(Self.ping), headers: [.ifMatch: tag])
    #expect(refused.status == 412)
    #expect(refused.text == #"{"detail":"The firewall was changed meanwhile. Read it again."}"#)
    let newest = try #require(changed.headers[.eTag])
    #expect(try await firewall(api).headers[.eTag] == newest)
    #expect(
      try await api.send(.get, "/servers/1/firewall/", headers: [.ifNoneMatch: newest]).status == 304)
    let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
      for port in 1...10 {
        let rule = #"{"direction":"in","protocol":"tcp","port":\#(port)}"#
        group.addTask { try await put(api, Self.body(rule), headers: [.ifMatch: newest]).status }
      }
      return try await group.reduce(into: [Int]()) { $0.append($1) }
    }
    #expect(statuses.sorted() == [200] + Array(repeating: 412, count: 9))
  }

  @Test("Whose server it is not sees none, who may only read changes none, and an account that is suspended neither")
  func permissions() async throws {
    let api = try await TestAPI.make()
    let service = api.service
    _ = try await api.createServer()
    let stranger = try await service.newCaller().token.text
    for method: HTTPRequest.Method in [.get, .put] {
      let reply = try await api.send(method, "/servers/1/firewall/", Self.body(Self.ssh), token: stranger)
      #expect(reply.status == 404 && reply.text == #"{"detail":"Not found."}"#)
    }
    let reader = try await service.newToken(of: service.owner.accountID, permissions: [Servers.toRead]).token.text
    #expect(try await api.send(.get, "/servers/1/firewall/", token: reader).status == 200)
    #expect(try await put(api, Self.body(Self.ssh), token: reader).status == 403)
    let email = try #require(try await service.store.account(service.owner.accountID)).email
    _ = try await service.store.suspend(accountOf: email, because: "Open relay.", at: service.clock.now)
    service.clock.advance(by: .seconds(2))
    let refused = try await put(api, Self.body(Self.ssh))
    #expect(refused.status == 403 && refused.text == #"{"detail":"Your account is suspended: Open relay."}"#)
    #expect(try await firewall(api).json["enabled"] as? Bool == false)
  }

  @Test("A server is made with its firewall, once, or not at all, and everything that is wrong is told at once")
  func create() async throws {
    let api = try await enforcing()
    let form = #"{"name":"a","plan_id":3,"os_id":3,"location":"us-west","firewall":%}"#
    let wrong = try await api.send(
      .post, "/servers/",
      #"{"name":"-","plan_id":99,"os_id":3,"location":"us-west","firewall":{"rules":[{"direction":"in","protocol":"tcp"}]}}"#
    )
    #expect(wrong.status == 400)
    #expect(
      wrong.text
        == #"{"name":["Enter a valid value."],"plan_id":["Invalid pk \"99\" - object does not exist."],"firewall":{"enabled":["This field is required."],"rules":[{"port":["This field is required for tcp and udp."]}]}}"#
    )
    #expect(
      try await api.send(.post, "/servers/", form.replacing("%", with: "7")).text
        == #"{"firewall":{"non_field_errors":["Invalid data. Expected a dictionary, but got int."]}}"#)
    #expect(try await api.service.store.allServers().isEmpty)
    let body = form.replacing("%", with: Self.body(Self.ssh))
    for _ in 1...2 {
      let made = try await api.send(.post, "/servers/", body, headers: [Self.idempotencyKey: "k"])
      #expect(made.status == 201)
      #expect(try made.json["id"] as? Int == 1)
    }
    #expect(try await firewall(api).json["enabled"] as? Bool == true)
    try await api.service.settle()
    await api.service.applyFirewalls()
    #expect(try await firewall(api).text.contains(#"{"enabled":true,"enforced":true,"rules":[\#(Self.ssh)]"#))
    let another = try await api.send(
      .post, "/servers/", body.replacing(Self.ssh, with: Self.ping), headers: [Self.idempotencyKey: "k"])
    #expect(another.status == 422)
  }

  @Test("The operator sees who changed it")
  func audit() async throws {
    let api = try await TestAPI.make()
    _ = try await api.createServer()
    _ = try await put(api, Self.body(Self.ssh, Self.ping))
    let entry = try #require(try await api.service.database.auditTrail(newest: 1).first)
    #expect(entry.action == "server.firewall" && entry.detail == "enabled rules=2" && entry.serverID == ID(1))
  }
}
