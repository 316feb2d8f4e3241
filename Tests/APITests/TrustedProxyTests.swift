import Core
import Engine
import Foundation
import HTTPTypes
import SQLStore
import TestSupport
import Testing

@testable import API

@Suite("Whose request it is, where proxies pass it on")
struct TrustedProxyTests {
  private static let proxies = TrustedProxies(
    ["10.0.0.0/8", "192.0.2.1", "2001:db8:1::/48"].compactMap { IPNetwork($0) })

  private func origin(_ peer: String, _ headers: [String: [String]], _ proxies: TrustedProxies = Self.proxies)
    -> RequestOrigin
  {
    proxies.origin(peer: peer) { headers[$0] ?? [] }
  }

  @Test(
    "The client is the last one in the list that is no proxy of ours",
    arguments: [
      (["203.0.113.9"], "203.0.113.9"), (["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
      (["1.1.1.1", "203.0.113.9"], "203.0.113.9"), (["1.1.1.1, 203.0.113.9 , 10.1.1.1,192.0.2.1"], "203.0.113.9"),
      (["203.0.113.9:4711"], "203.0.113.9"), (["[2001:db8:9::7]:4711"], "2001:db8:9::7"),
      (["[2001:db8:9::7]"], "2001:db8:9::7"), (["2001:DB8:9:0::7"], "2001:db8:9::7"),
      (["::ffff:203.0.113.9"], "203.0.113.9"), (["203.0.113.9, ::ffff:10.1.1.1"], "203.0.113.9"),
      (["203.0.113.9, 2001:db8:1::5"], "203.0.113.9"), (["10.1.1.1, 10.2.2.2"], "10.1.1.1"),
      ([" , ,203.0.113.9,, "], "203.0.113.9"),
      // What is no address tells nothing, and neither does what stands before it.
      (["203.0.113.9, unknown"], "10.0.0.1"), (["1.1.1.1, garbage, 10.1.1.1"], "10.1.1.1"),
      (["203.0.113.9:x"], "10.0.0.1"), (["[203.0.113.9]"], "10.0.0.1"), (["[::1"], "10.0.0.1"),
      (["fe80::1%eth0"], "10.0.0.1"), (["203.0.113.9\u{0}"], "10.0.0.1"), (["203.0.113.09"], "10.0.0.1"),
      ([""], "10.0.0.1"), ([], "10.0.0.1"), (["\u{65}\u{301}"], "10.0.0.1"),
    ])
  func forwardedFor(_ lines: [String], _ client: String) {
    #expect(origin("10.0.0.1", ["X-Forwarded-For": lines]).address == client)
  }

  @Test("Nobody else's word counts", arguments: ["203.0.113.1", "::1", "2001:db8:2::1", "192.0.2.2", ""])
  func stranger(_ peer: String) {
    let headers = ["X-Forwarded-For": ["1.1.1.1"], "X-Forwarded-Proto": ["https"], "X-Forwarded-Host": ["evil"]]
    #expect(origin(peer, headers) == RequestOrigin(address: peer))
    #expect(origin("10.0.0.1", headers, .none) == RequestOrigin(address: "10.0.0.1"))
  }

  @Test("A proxy of either family is known, also where the socket writes IPv4 as IPv6")
  func peers() {
    for peer in ["10.255.0.1", "::ffff:10.1.1.1", "192.0.2.1", "2001:db8:1:ffff::1"] {
      #expect(origin(peer, ["X-Forwarded-For": ["203.0.113.9"]]).address == "203.0.113.9", "\(peer)")
    }
  }

  @Test("Scheme and host are those that the client used, as the proxy next to it says")
  func schemeAndHost() {
    let one = origin("10.0.0.1", ["X-Forwarded-Proto": ["HTTPS"], "X-Forwarded-Host": ["vps.example.com:8443"]])
    #expect(one.isSecure && one.authority == "vps.example.com:8443")
    let forged = origin(
      "10.0.0.1", ["X-Forwarded-For": ["6.6.6.6, 203.0.113.9"], "X-Forwarded-Proto": ["https, http"]])
    #expect(!forged.isSecure)
    let chain = origin(
      "10.0.0.1",
      [
        "X-Forwarded-For": ["6.6.6.6, 203.0.113.9, 10.0.0.2"], "X-Forwarded-Proto": ["http, https, http"],
        "X-Forwarded-Host": ["evil, vps.example.com, inner"],
      ])
    #expect(chain.isSecure && chain.authority == "vps.example.com" && chain.address == "203.0.113.9")
    for host in ["a b", "a/b", "<x>", String(repeating: "a", count: 256), "\u{65}\u{301}"] {
      #expect(origin("10.0.0.1", ["X-Forwarded-Host": [host]]).authority == nil)
    }
  }

  @Test(
    "A network is written in one way",
    arguments: [
      ("10.0.0.0/8", "10.0.0.0/8"), ("10.0.0.1", "10.0.0.1/32"), ("::/0", "::/0"), ("0.0.0.0/0", "0.0.0.0/0"),
      ("2001:DB8::/32", "2001:db8::/32"), ("::ffff:10.0.0.0/104", "10.0.0.0/8"), ("::1", "::1/128"),
    ])
  func networks(_ text: String, _ written: String) {
    #expect(IPNetwork(text)?.description == written)
    #expect(IPNetwork(written) == IPNetwork(text))
  }

  @Test("Every IPv4 address is in 0.0.0.0/0 and none in ::/0")
  func everything() throws {
    let all = (try #require(IPNetwork("0.0.0.0/0")), try #require(IPNetwork("::/0")))
    let addresses = (try #require(IPAddress("255.255.255.255")), try #require(IPAddress("ffff::1")))
    #expect(all.0.contains(addresses.0) && !all.0.contains(addresses.1))
    #expect(all.1.contains(addresses.1) && !all.1.contains(addresses.0))
  }

  // MARK: Through the service's own listener

  private static let chain =
    "X-Forwarded-For: 6.6.6.6, 203.0.113.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: vps.example.com\r\n"

  private func ask(_ listening: ListeningAPI, _ line: String, token: String, host: UInt32 = 1) async throws -> String {
    let client = try await RawClient(port: listening.port, host: host)
    client.send(
      "\(line) HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer \(token)\r\n\(Self.chain)\r\n")
    return await client.receiveAll() ?? ""
  }

  @Test("Links, the audit and failed logins go by the proxy that is trusted", arguments: [true, false])
  func wholeService(_ isTrusted: Bool) async throws {
    let limits = RequestLimits(requestsPerMinute: 0, loginFailuresPerMinute: 2)
    let proxies = TrustedProxies([IPNetwork("127.0.0.1")].compactMap { $0 })
    let api = TestAPI(try await TestService(), limits: limits, trustedProxies: isTrusted ? proxies : .none)
    let id = try await api.activeServer()
    try await ListeningAPI.with(api) { listening in
      let token = api.service.token.text
      let console = try await ask(listening, "POST /api/v1/servers/\(id)/console/", token: token)
      let url = isTrusted ? "https://vps.example.com/console/" : "http://x/console/"
      #expect(console.contains(#"{"url":"\#(url)"#))
      let entry = try #require(try await api.service.database.auditTrail(newest: 1).first)
      #expect(entry.origin == (isTrusted ? "203.0.113.9" : "127.0.0.1"))

      for _ in 1...2 { #expect(try await ask(listening, "GET /api/v1/plans/", token: "x").contains(" 401 ")) }
      #expect(try await ask(listening, "GET /api/v1/plans/", token: "x").contains(" 429 "))
      // Another client of the same proxy is another address; without trust it is the proxy's.
      let other = try await RawClient(port: listening.port)
      other.send(
        "GET /api/v1/plans/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer x\r\n"
          + "X-Forwarded-For: 203.0.113.10\r\n\r\n")
      #expect(await other.receiveAll()?.contains(isTrusted ? " 401 " : " 429 ") == true)
      // And one that is no proxy is itself, whatever it says.
      #expect(try await ask(listening, "GET /api/v1/plans/", token: "x", host: 2).contains(" 401 "))
    }
  }

  @Test("Connections of a proxy that is trusted are not counted by address")
  func connections() async throws {
    var limits = ListeningAPI.patient
    limits.connectionsPerAddress = 2
    let proxies = TrustedProxies([IPNetwork("127.0.0.1")].compactMap { $0 })
    let api = TestAPI(try await TestService(), trustedProxies: proxies)
    try await ListeningAPI.with(api, limits) { listening in
      let clients = try await RawClient.several(5, port: listening.port)
      for client in clients {
        client.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(await client.receive(until: #""ok""#))
      }
      let strangers = try await RawClient.several(3, port: listening.port, host: 2)
      // They come to different event loops, so that it may be any of them.
      #expect(await comesTrue { strangers.contains(where: \.hasEnded) })
      #expect(strangers.count { $0.hasEnded } == 1)
    }
  }

  @Test("An IPv6 client is all of its network of 64 bits")
  func clients() throws {
    #expect(IPAddress("2001:db8::1")?.client == IPAddress("2001:db8::ffff:1")?.client)
    #expect(IPAddress("2001:db8::1")?.client != IPAddress("2001:db8:0:1::1")?.client)
    #expect(IPAddress("192.0.2.1")?.client != IPAddress("192.0.2.2")?.client)
  }
}
