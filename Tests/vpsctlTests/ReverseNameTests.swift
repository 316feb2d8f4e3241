import Foundation
import TestSupport
import Testing
import Yams

@Suite("What addresses are called, from the command line")
struct ReverseNameTests {
  private static let order = ["--plan", "nano", "--os", "3", "--location", "us-west", "--wait", "-o", "name"]

  @Test("Addresses are listed with their names, given others, and called by the default again")
  func life() async throws {
    let service = try RunningService(namesAddresses: true)
    defer { withExtendedLifetime(service) {} }
    let user = try service.user()
    func says(_ words: String..., status: Int32 = 0) async throws -> String {
      let result = try await user.run(User.program, ["server", "rdns"] + words)
      #expect(result.status == status, "\(words): \(result.all)")
      return result.all
    }
    #expect(try await user.run(User.program, ["server", "create", "--name", "web"] + Self.order).output == "web\n")
    #expect(
      try await says("list", "we") == """
        ADDRESS           NAME
        127.80.0.1        127-80-0-1.vps.example.com
        2001:db8:10:1::1  2001-db8-10-1-0-0-0-1.vps.example.com

        """)
    // Without an address, its first.
    #expect(
      try await says("set", "web", "--hostname", "Mail.example.com") == "127.80.0.1 is called mail.example.com.\n")
    let six = try await user.run(
      "server", "rdns", "set", "1", "--ip", "2001:db8:10:1::1", "--hostname", "six.example.com", "-o", "json")
    #expect(
      same(try six.json, ["ip_address": "2001:db8:10:1::1", "ptr": "six.example.com"] as [String: String]),
      "\(six.all)")
    let wanted = try await service.get("/servers/1/rdns/", user) as? [String: Any]
    #expect(try same(await user.run("server", "rdns", "list", "web", "-o", "json").json, wanted?["results"]))
    let yaml = try await says("list", "web", "-o", "yaml")
    #expect(same(try Yams.load(yaml: yaml), wanted?["results"]), "\(yaml)")
    #expect(try await says("list", "web", "-o", "name") == "127.80.0.1\n2001:db8:10:1::1\n")
    #expect(try await says("list", "web", "--columns", "ptr", "--no-headers") == "mail.example.com\nsix.example.com\n")
    #expect(
      try await says("set", "web", "--ip", "127.80.0.1", "--reset")
        == "127.80.0.1 is called 127-80-0-1.vps.example.com.\n")
    let wrong = try await says("set", "web", "--ip", "127.80.0.2", "--hostname", "a b", status: 4)
    #expect(
      wrong.hasPrefix(
        "Error: --ip (ip_address): This is no address of the server.\nError: --hostname (ptr): Enter a whole domain name "
      ),
      "\(wrong)")
    #expect(try await says("set", "web", status: 2).contains("Say one of both: --hostname NAME, or --reset."))
    #expect(try await says("set", "web", "--reset", "--hostname", "a.example.com", status: 2).contains("one of both"))
  }

  @Test("Where there is no reverse DNS, that is said, and the status is that of what is not there")
  func none() async throws {
    let service = try RunningService()
    defer { withExtendedLifetime(service) {} }
    let user = try service.user()
    #expect(try await user.run(User.program, ["server", "create", "--name", "web"] + Self.order).status == 0)
    for words in [["list", "web"], ["set", "web", "--reset"], ["set", "web", "--ip", "127.80.0.1", "--reset"]] {
      let result = try await user.run(User.program, ["server", "rdns"] + words)
      #expect(result.status == 3, "\(words): \(result.all)")
      #expect(result.all == "Error: Reverse DNS is not available at us-west.\n", "\(words): \(result.all)")
    }
  }

  @Test("A server without an address, and a name that a terminal would obey, are told for what they are")
  func strange() async throws {
    let service = try ScriptedServer { request in
      guard request.path.contains("/rdns/") else {
        return .json(200, #"{"count": 1, "results": [{"id": 7, "name": "web"}]}"#)
      }
      return request.method == "GET"
        ? .json(200, #"{"count": 0, "results": []}"#)
        : .json(200, #"{"ip_address": "192.0.2.1", "ptr": "\u001b[2Ja.example.com"}"#)
    }
    let user = try User(url: service.url)
    let early = try await user.run("server", "rdns", "set", "web", "--reset")
    #expect(early.status == 4 && early.errors == "Error: web (7) has no address yet.\n", "\(early.all)")
    let said = try await user.run("server", "rdns", "set", "web", "--ip", "192.0.2.1", "--hostname", "a.example.com")
    #expect(said.status == 0 && !said.all.contains("\u{1B}"), "\(said.all)")
    let put = try #require(service.requests.last)
    #expect(put.method == "PUT" && put.body == #"{"ip_address":"192.0.2.1","ptr":"a.example.com"}"#, "\(put.body)")
  }
}
