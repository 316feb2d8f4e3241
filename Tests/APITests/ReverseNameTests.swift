import Core
import Engine
import Foundation
import HTTPTypes
import TestSupport
import Testing

@testable import API

@Suite("Reverse DNS of a server")
struct ReverseNameTests {
  private static let standard =
    #"{"count":1,"results":[{"ip_address":"127.80.0.1","ptr":"127-80-0-1.vps.example.com"}]}"#

  private func put(_ api: TestAPI, _ body: String, token: String? = nil) async throws -> TestAPI.Reply {
    try await api.send(.put, "/servers/1/rdns/", body, token: token)
  }

  private func body(_ name: String?, of address: String = "127.80.0.1") -> String {
    #"{"ip_address":"\#(address)","ptr":\#(name.map { "\"\($0)\"" } ?? "null")}"#
  }

  @Test("It is shown as it stands, changed at once, and null goes back to the default")
  func shown() async throws {
    let api = try await TestAPI.make()
    _ = try await api.activeServer()
    #expect(try await api.send(.get, "/servers/1/rdns/").text == Self.standard)
    let changed = try await put(api, body("Web01.example.com"))
    #expect(changed.status == 200 && changed.text == #"{"ip_address":"127.80.0.1","ptr":"web01.example.com"}"#)
    let listed = try await api.send(.get, "/servers/1/rdns/").text
    #expect(listed == #"{"count":1,"results":[{"ip_address":"127.80.0.1","ptr":"web01.example.com"}]}"#)
    let uuid = try #require(try await api.send(.get, "/servers/1/").json["uuid"] as? String)
    #expect(try await api.send(.get, "/servers/\(uuid)/rdns/").text == listed)
    #expect(try await put(api, body(nil)).text == #"{"ip_address":"127.80.0.1","ptr":"127-80-0-1.vps.example.com"}"#)
    #expect(try await api.send(.get, "/servers/1/rdns/").text == Self.standard)
  }

  @Test("A server that is being made has no address yet, and so no name")
  func provisioning() async throws {
    let api = try await TestAPI.make()
    _ = try await api.createServer()
    #expect(try await api.send(.get, "/servers/1/rdns/").text == #"{"count":0,"results":[]}"#)
    let refused = try await put(api, body("web01.example.com"))
    #expect(refused.text == #"{"ip_address":["This is no address of the server."]}"#)
  }

  @Test("All of its addresses have names, of both families; a whole network that of the server's own address")
  func bothFamilies() async throws {
    let service = try await TestService(addressPool6: IPv6Pool("2001:db8:10::/56"))
    let api = TestAPI(service)
    _ = try await api.activeServer()
    let list = try await api.send(.get, "/servers/1/rdns/").json["results"] as? [[String: String]]
    #expect(
      list == [
        ["ip_address": "127.80.0.1", "ptr": "127-80-0-1.vps.example.com"],
        ["ip_address": "2001:db8:10:1::1", "ptr": "2001-db8-10-1-0-0-0-1.vps.example.com"],
      ])
    let reply = try await put(api, body("web6.example.com", of: "2001:DB8:10:1:0:0:0:1"))
    #expect(reply.text == #"{"ip_address":"2001:db8:10:1::1","ptr":"web6.example.com"}"#)
  }

  @Test("Any address of a server's network can have a name; null takes it away, and out of the list")
  func inNetwork() async throws {
    let api = TestAPI(try await TestService(addressPool6: IPv6Pool("2001:db8:10::/56")))
    _ = try await api.activeServer()
    let address = "2001:db8:10:1::25"
    let set = try await put(api, body("mx.example.com", of: "2001:DB8:10:1:0::25"))
    #expect(set.status == 200 && set.text == #"{"ip_address":"\#(address)","ptr":"mx.example.com"}"#)
    #expect(try await api.send(.get, "/servers/1/rdns/").text.hasSuffix(",\(set.text)]}"))
    let taken = try await put(api, body(nil, of: address))
    #expect(taken.status == 200 && taken.text == #"{"ip_address":"\#(address)","ptr":null}"#)
    #expect(try await api.send(.get, "/servers/1/rdns/").json["count"] as? Int == 2)
    for number in 2...65 {
      let reply = try await put(api, body("mx.example.com", of: "2001:db8:10:1::\(number)"))
      #expect(reply.status == 200)
    }
    let full = try await put(api, body("mx.example.com", of: "2001:db8:10:1::66"))
    #expect(full.status == 403 && full.text == #"{"detail":"Quota of names in networks of the server reached (64)."}"#)
  }

  @Test(
    "What is wrong is told of each field, everything at once, and changes nothing",
    arguments: [
      ("{}", #"{"ip_address":["This field is required."],"ptr":["This field is required."]}"#),
      (
        #"{"ip_address":null,"ptr":1}"#,
        #"{"ip_address":["This field may not be null."],"ptr":["Not a valid string."]}"#
      ),
      (#"{"ip_address":"127.80.0.1","ptr":""}"#, #"{"ptr":["This field may not be blank."]}"#),
      (
        #"{"ip_address":"127.80.0.2","ptr":"a"}"#,
        #"{"ip_address":["This is no address of the server."],"ptr":["\#(Hostname.ruleOfAddress)"]}"#
      ),
      (
        #"{"ip_address":"web","ptr":"web.example.com."}"#,
        #"{"ip_address":["This is no address of the server."],"ptr":["\#(Hostname.ruleOfAddress)"]}"#
      ),
      (
        #"{"ip_address":"127.80.0.1/32","ptr":"a.example.com\nupdate add b.example.com 60 A 192.0.2.1"}"#,
        #"{"ip_address":["This is no address of the server."],"ptr":["\#(Hostname.ruleOfAddress)"]}"#
      ),
    ])
  func wrong(body: String, answer: String) async throws {
    let api = try await TestAPI.make()
    _ = try await api.activeServer()
    let reply = try await put(api, body)
    #expect(reply.status == 400 && reply.text == answer)
    #expect(try await api.send(.get, "/servers/1/rdns/").text == Self.standard)
  }

  @Test("A name with any character that a host name has not is refused, and nothing is said of it")
  func everyBadCharacter() async throws {
    let api = try await TestAPI.make()
    _ = try await api.activeServer()
    let allowed = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.".unicodeScalars)
    for value in Array(1..<0x100 as Range<UInt32>) + [0x2028, 0x202E, 0x3002, 0x1F600] {
      guard let scalar = Unicode.Scalar(value), !allowed.contains(scalar) else { continue }
      let json = try JSONSerialization.data(withJSONObject: [
        "ip_address": "127.80.0.1", "ptr": "we\(Character(scalar))b.example.com",
      ])
      let reply = try await put(api, String(decoding: json, as: UTF8.self))
      #expect(reply.status == 400 && reply.text == #"{"ptr":["\#(Hostname.ruleOfAddress)"]}"#, "U+\(value)")
    }
    await api.service.nameKeeper.pollOnce()
    #expect(api.service.zones.name(of: "127.80.0.1") == "127-80-0-1.vps.example.com")
  }

  @Test("Who may not, or has another account, or asks where there is none, is told so and no more")
  func others() async throws {
    let api = TestAPI(try await TestService(hosts: TestService.threeHosts))
    _ = try await api.activeServer()
    _ = try await api.send(.post, "/servers/", #"{"name": "e", "plan_id": 3, "os_id": 3, "location": "us-east"}"#)
    try await api.service.settle()
    let (_, stranger) = try await api.service.newCaller()
    let reader = try await api.service.newToken(
      of: api.service.owner.accountID, permissions: [Permission(.servers, .read)])
    for (path, token) in [("/servers/1/rdns/", stranger.text), ("/servers/99/rdns/", api.service.token.text)] {
      for reply in [
        try await api.send(.get, path, token: token),
        try await api.send(.put, path, body("a.example.com"), token: token),
      ] {
        #expect(reply.status == 404 && reply.text == #"{"detail":"Not found."}"#)
      }
    }
    #expect(try await put(api, body("a.example.com"), token: reader.token.text).status == 403)
    #expect(try await api.send(.get, "/servers/1/rdns/", token: reader.token.text).text == Self.standard)
    for reply in [
      try await api.send(.get, "/servers/2/rdns/"), try await api.send(.put, "/servers/2/rdns/", "{}"),
    ] {
      #expect(reply.status == 404 && reply.text == #"{"detail":"Reverse DNS is not available at us-east."}"#)
    }
    // A server has its own addresses, and not those of the account's other one.
    let other = try #require(try await api.send(.get, "/servers/2/").json["ip_address"] as? String)
    #expect(try await put(api, body("a.example.com", of: other)).status == 400)
  }

  @Test("Where names must lead back, one that does not is a field error, and one that cannot be looked up is for later")
  func forward() async throws {
    let service = try await TestService()
    let names = ReverseNames(
      store: service.store, namings: TestService.namings(service.zones, lookup: service.zones), clock: service.clock)
    let api = TestAPI(service, reverseNames: names)
    _ = try await api.activeServer()
    let refused = try await put(api, body("web.example.com"))
    #expect(
      refused.status == 400
        && refused.text == #"{"ptr":["The name must lead back to 127.80.0.1: give it that A record first."]}"#)
    service.zones.trouble = .away
    let later = try await put(api, body("web.example.com"))
    #expect(later.status == 503 && later.headers[.retryAfter] == "10")
    #expect(later.text == #"{"detail":"It cannot be learnt now where the name leads."}"#)
    service.zones.trouble = nil
    service.zones.forward = [try #require(Hostname("web.example.com")): [try #require(IPAddress("127.80.0.1"))]]
    #expect(try await put(api, body("web.example.com")).status == 200)
    // What it is called already, and the default, nobody need ask for.
    service.zones.trouble = .away
    #expect(try await put(api, body("web.example.com")).status == 200)
    #expect(try await put(api, body(nil)).status == 200)
  }
}
