import Core
import Foundation
import HTTPTypes
import SQLStore
import Synchronization
import TestSupport
import Testing

@testable import API
@testable import Engine

@Suite("What is given again from memory is what the routes would say")
struct RepliesInMemoryTests {
  @Test("One server and a list are given again, and nothing else is", arguments: ["/servers/1/", "/servers/"])
  func given(_ path: String) async throws {
    try await WarmAPI.with(mark: { 7 }) { here in
      for other in ["/servers/1/operations/", "/plans/", "/account/me/"] { try await here.keep(other) }
      #expect(here.count == 0)
      try await here.keep(path)
      #expect(here.count == 1)
      try await here.rename("after")
      #expect(try await here.get(path).contains("before"))
      #expect(try await here.api.send(.get, path).text.contains("after"))
    }
  }

  @Test(
    "After a commit of this process or another one, the next reply is a new one",
    arguments: ["/servers/1/", "/servers/"])
  func fresh(_ path: String) async throws {
    try await WarmAPI.with(mark: nil) { here in
      let service = here.api.service
      for number in 1...3 {
        try await here.keep(path)
        try await here.rename("own-\(number)")
        #expect(try await here.get(path).contains("own-\(number)"))
        try await here.keep(path)
        let other = try await service.reopened(tariff: Tariff())
        let change = ServerChange(name: ServerName("other-\(number)"))
        #expect(try await other.updateServer(ID(1), change, by: service.owner, at: service.clock.now) != nil)
        #expect(try await here.get(path).contains("other-\(number)"))
        try other.release()
      }
    }
  }

  @Test("What the service knew of the catalogue before a commit is in no reply that is kept after it")
  func catalogue() async throws {
    try await WarmAPI.with(mark: nil) { here in
      let clock = here.api.service.clock
      for (number, path) in ["/servers/1/", "/servers/"].enumerated() {
        try await here.keep(path)
        let name = "Renamed \(number)"
        let other = try await here.api.service.reopened(tariff: Tariff())
        var (place, system) = (LocationChange(), OperatingSystemChange())
        (place.name, system.name) = (name, name)
        for id in Int64(1)...4 { _ = try await other.updateLocation(ID(id), place, by: .host, at: clock.now) }
        _ = try await other.updateOperatingSystem(ID(3), system, by: .host, at: clock.now)
        try other.release()
        _ = try await here.get(path)
        clock.advance(by: RepliesInMemory.settling)
        for _ in 1...2 {
          let reply = try await here.get(path)
          #expect(reply.contains(#""location_name":"\#(name)""#) && reply.contains(#""os_name":"\#(name)""#))
        }
      }
    }
  }

  @Test("A host that goes away, and one that is drained, is in the next reply")
  func hosts() async throws {
    try await WarmAPI.with(mark: { 7 }) { here in
      try await here.keep()
      #expect(try await here.get().contains(#""status_reason":null"#))
      let host = here.api.service.fleet.hosts[0]
      host.noteElsewhere(isAway: true)
      #expect(try await here.get().contains(Fleet.awayReason))
      host.noteElsewhere(isAway: false)
      #expect(try await here.get().contains(#""status_reason":null"#))
      host.note(movesServersAt: here.api.service.clock.now)
      #expect(try await here.get().contains("is moved to another host"))
    }
  }

  @Test("What is kept is not given in the next month, which has another usage")
  func months() async throws {
    try await WarmAPI.with(mark: { 7 }) { here in
      let february = Timestamp(millisecondsSinceEpoch: 1_769_904_000_000)
      here.api.service.clock.advance(to: february - .milliseconds(420))
      try await here.keep()
      try await here.rename("after")
      #expect(try await here.get().contains("before"))
      here.api.service.clock.advance(by: .milliseconds(400))
      #expect(try await here.get().contains("after"))
    }
  }

  @Test("Where one commit follows the other, nothing is kept")
  func settling() async throws {
    try await WarmAPI.with(mark: { 7 }) { here in
      _ = try await here.get()
      here.api.service.clock.advance(by: RepliesInMemory.settling - .milliseconds(1))
      _ = try await here.get()
      #expect(here.count == 0)
      here.api.service.clock.advance(by: .milliseconds(1))
      _ = try await here.get()
      #expect(here.count == 1)
    }
  }

  @Test("A token that was revoked or has expired gets 401, even for what is kept")
  func tokens() async throws {
    try await WarmAPI.with(mark: { 7 }) { here in
      let service = here.api.service
      let account = service.owner.accountID
      let revoked = try await service.newToken(of: account, permissions: [.everything], name: "revoked")
      let elsewhere = try await service.newToken(of: account, permissions: [.everything], name: "elsewhere")
      for token in [revoked, elsewhere] { try await here.keep(token: token.token.text) }
      #expect(try await here.api.send(.delete, "/tokens/\(revoked.caller.tokenID.value)/").status == 204)
      #expect(try await here.get(token: revoked.token.text).hasPrefix("HTTP/1.1 401 "))
      _ = try await service.database.revokeToken(elsewhere.caller.tokenID, by: service.owner, at: service.clock.now)
      service.clock.advance(by: .seconds(1))
      #expect(try await here.get(token: elsewhere.token.text).hasPrefix("HTTP/1.1 401 "))
      let expiry = service.clock.now + .milliseconds(520)
      let expiring = try await service.newToken(
        of: account, permissions: [.everything], expiresAt: expiry, name: "expiring")
      try await here.keep(token: expiring.token.text)
      #expect(try await here.get(token: expiring.token.text).hasPrefix("HTTP/1.1 200 "))
      service.clock.advance(by: .milliseconds(500))
      #expect(try await here.get(token: expiring.token.text).hasPrefix("HTTP/1.1 401 "))
    }
  }

  @Test("Nobody gets what is kept for another account, or for a token that may do more")
  func strangers() async throws {
    try await WarmAPI.with(mark: { 7 }) { here in
      let service = here.api.service
      for path in ["/servers/1/", "/servers/"] { try await here.keep(path) }
      let stranger = try await service.newCaller().token.text
      #expect(try await here.get(token: stranger).hasPrefix("HTTP/1.1 404 "))
      let list = try await here.get("/servers/", token: stranger)
      #expect(list.contains("[]") && !list.contains("before"))
      let weak = try await service.newToken(
        of: service.owner.accountID, permissions: [Permission(.sshKeys, .read)], name: "weak")
      #expect(try await here.get(token: weak.token.text).hasPrefix("HTTP/1.1 403 "))
    }
  }

  @Test("Every request counts against the limit, with its own headers, and one too many gets 429")
  func limits() async throws {
    try await WarmAPI.with(limits: RequestLimits(requestsPerMinute: 4, loginFailuresPerMinute: 0), mark: { 7 }) {
      here in
      let clock = here.api.service.clock
      clock.advance(by: .seconds(60))
      try await here.keep()
      clock.advance(by: .seconds(60))
      // Its token is read again.
      #expect(try await here.get().contains("X-RateLimit-Remaining: 3\r\n"))
      try await here.rename("after")
      for remaining in [1, 0] {
        let reply = try await here.get()
        #expect(reply.contains("X-RateLimit-Remaining: \(remaining)\r\n") && reply.contains("before"))
      }
      #expect(try await here.get().hasPrefix("HTTP/1.1 429 "))
    }
  }

  @Test("Conditions, media types and expectations are answered as the routes do")
  func conditions() async throws {
    try await WarmAPI.with(mark: { 7 }) { here in
      try await here.keep()
      let whole = try await here.get()
      let tag = try #require(whole.firstMatch(of: /ETag: ("[^"]+")/)?.1)
      try await here.rename("after")
      let known = try await here.get("/servers/1/", "If-None-Match: \(tag)\r\n")
      #expect(known.hasPrefix("HTTP/1.1 304 ") && known.hasSuffix("\r\n\r\n") && known.contains("ETag: \(tag)"))
      #expect(try await here.get("/servers/1/", "If-None-Match: \"x\"\r\n").hasSuffix(try #require(body(whole))))
      #expect(try await here.get("/servers/1/", "If-Match: \"x\"\r\n").hasPrefix("HTTP/1.1 412 "))
      #expect(try await here.get("/servers/1/", "Accept: text/csv\r\n").hasPrefix("HTTP/1.1 406 "))
      #expect(try await here.get("/servers/1/", "Expect: a-miracle\r\n").hasPrefix("HTTP/1.1 417 "))
    }
  }

  @Test("Whoever asks for the head only gets nothing else")
  func heads() async throws {
    try await WarmAPI.with(mark: { 7 }) { here in
      try await here.keep()
      let length = try #require(try await here.get().firstMatch(of: /Content-Length: \d+\r\n/)?.0)
      let head = try await here.send("HEAD" + here.request("/servers/1/", "Connection: close\r\n").dropFirst(3))
      #expect(head.hasPrefix("HTTP/1.1 200 ") && head.hasSuffix("\r\n\r\n") && head.contains(length))
    }
  }

  @Test("A token that is used for what is in memory was used")
  func uses() async throws {
    try await WarmAPI.with(mark: { 7 }) { here in
      let service = here.api.service
      let used = try await service.newToken(of: service.owner.accountID, permissions: [.everything], name: "used")
      try await here.keep(token: used.token.text)
      try await service.authenticator.recordUses()
      service.clock.advance(by: .milliseconds(900))
      try await here.rename("after")
      #expect(try await here.get(token: used.token.text).contains("before"))
      try await service.authenticator.recordUses()
      let token = try #require(try await service.database.token(hash: used.token.hash))
      #expect(token.lastUsedAt == service.clock.now)
    }
  }

  private func body(_ reply: String) -> String? { reply.components(separatedBy: "\r\n\r\n").last }

  @Test("It has the headers that the route's reply has, with its own request id, and is counted as one")
  func headers() async throws {
    let figures = RequestFigures()
    try await WarmAPI.with(figures: figures, mark: { 7 }) { here in
      let made = try await here.get("/servers/1/", "X-Request-ID: mine\r\n")
      try await here.keep()
      try await here.rename("after")
      let given = try await here.get("/servers/1/", "X-Request-ID: mine\r\n")
      #expect(given.contains("before"))
      func fixed(_ reply: String) -> [String] {
        reply.components(separatedBy: "\r\n").filter { !$0.hasPrefix("Date:") }.sorted()
      }
      #expect(fixed(given) == fixed(made))
      #expect(given.contains("X-Request-ID: mine\r\n"))
      #expect(given.contains(/\r\nDate: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\r\n/))
      #expect(figures.all[.init(method: "GET", path: "/api/v1/servers/{id}")]?.statuses == [200: 4])
    }
  }

  @Test("Requests that are sent at once are answered in their order, whichever way each goes")
  func order() async throws {
    try await WarmAPI.with(mark: { 7 }) { here in
      try await here.keep()
      let client = try await RawClient(port: here.port)
      let health = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
      let kept = here.request()
      client.send(kept + health + kept + kept + health + kept)
      let last = here.request("/servers/99/", "Connection: close\r\n")
      client.send(last)
      let text = try #require(await client.receiveAll())
      let kinds = text.matches(of: /\{"status":"ok"\}|"hostname":|"detail":/).map { String($0.0) }
      let (server, ok) = (#""hostname":"#, #"{"status":"ok"}"#)
      #expect(kinds == [server, ok, server, server, ok, server, #""detail":"#])
    }
  }

  @Test("However much is read, little is kept of an account, and nothing of a long target")
  func bounded() async throws {
    try await WarmAPI.with(mark: { 7 }) { here in
      try await here.keep("/servers/?name=\(String(repeating: "x", count: 600))")
      #expect(here.count == 0)
      try await here.keep()
      let other = try await here.api.service.newCaller().token.text
      for number in 0..<300 { _ = try await here.api.send(.get, "/servers/?name=\(number)", token: other) }
      let count = try #require(here.count)
      #expect(count > 10 && count < 150)
      for _ in 0...RepliesInMemory.maximumAccounts {
        let token = try await here.api.service.newCaller().token.text
        _ = try await here.api.send(.get, "/servers/", token: token)
      }
      #expect(here.count == count + RepliesInMemory.maximumAccounts - 2)
      try await here.rename("after")
      #expect(try await here.get().contains("before"))
    }
  }
}
