import API
import Core
import HTTPTypes
import TestSupport
import Testing

@testable import Engine
@testable import Panel

@Suite("Getting into the panel, and out")
struct SignInTests {
  @Test("A link signs in at once, once, and within ten minutes")
  func link() async throws {
    let panel = try await TestPanel.make()
    let link = try await panel.link()
    let browser = Browser(panel: panel)
    #expect(try await browser.get(link, method: .head).status == 200)
    #expect(try await browser.get(link, [HTTPField.Name("Sec-Purpose")!: "prefetch"]).status == 200)
    #expect(browser.cookies.isEmpty, "Who only looks ahead uses nothing up.")
    let reply = try await browser.get(link)
    #expect(reply.status == 303 && reply.location == "/servers")
    #expect(try await browser.get("/servers").text.contains("owner@example.com"))
    let second = Browser(panel: panel)
    #expect(try await second.get(link).status == 403)
    #expect(second.cookies.isEmpty)
    let late = try await panel.link()
    panel.service.clock.advance(by: .seconds(600))
    #expect(try await second.get(late).status == 403)
    for wrong in ["", "x", String(repeating: "x", count: 43), String(repeating: "x", count: 100_000), "%00"] {
      #expect(try await second.get("/sign-in?link=\(wrong)").status != 303)
    }
    #expect(second.cookies.isEmpty)
  }

  @Test("What a browser keeps is kept from scripts and from other sites, and by https from everybody on the way")
  func cookie() async throws {
    let panel = try await TestPanel.make()
    let reply = try await Browser(panel: panel).get(try await panel.link())
    let cookie = try #require(reply.headers[.setCookie])
    for part in ["vpsd_session=", "HttpOnly", "SameSite=Lax", "Path=/"] { #expect(cookie.contains(part)) }
    #expect(!cookie.contains("Secure") && reply.headers[.cacheControl] == "no-store")
    let secure = TestPanel(panel.service, publicURL: .init("https://vps.example.com"))
    let other = try await Browser(panel: secure).get(try await secure.link())
    #expect(other.headers[.setCookie]?.hasPrefix("__Host-vpsd_session=") == true)
    #expect(other.headers[.setCookie]?.hasSuffix("; Secure") == true)
  }

  @Test("Whoever signs out, or is signed out, is out at once, with the cookie too")
  func signOut() async throws {
    let panel = try await TestPanel.make()
    let browser = try await panel.signedIn()
    let stolen = try await panel.signedIn()
    stolen.cookies = browser.cookies
    #expect(try await stolen.get("/servers").status == 200)
    let page = try await browser.get("/servers")
    let out = try await browser.submit("/sign-out", on: page)
    #expect(out.status == 303 && browser.cookies.isEmpty)
    #expect(try await stolen.get("/servers").location?.hasPrefix("/sign-in") == true)

    let (first, second) = (try await panel.signedIn(), try await panel.signedIn())
    let account = try await first.get("/account")
    let other = try #require(account.actions.filter { $0.hasSuffix("/end") }.last)
    _ = second
    #expect(try await first.submit(other, on: account).status == 303)
  }

  @Test("A session is over after two weeks, and no token of the API")
  func lifetime() async throws {
    let panel = try await TestPanel.make()
    let browser = try await panel.signedIn()
    let session = try #require(browser.cookies["vpsd_session"])
    await #expect(throws: Failure.self) { try await panel.service.authenticator.caller(bearing: session) }
    await #expect(throws: Failure.self) { try await panel.service.authenticator.caller(bearing: "vps_" + session) }
    // And the other way round.
    let intruder = Browser(panel: panel)
    intruder.cookies["vpsd_session"] = panel.service.token.text
    #expect(try await intruder.get("/servers").status == 303)
    panel.service.clock.advance(by: Sessions.lifetime)
    #expect(try await browser.get("/servers").location == "/sign-in?next=/servers")
  }

  @Test("A session is none of the account's tokens: not listed, not counted, not revoked as one")
  func noToken() async throws {
    let panel = try await TestPanel.make()
    let browser = try await panel.signedIn()
    let service = panel.service
    let tokens = Tokens(store: service.store, authenticator: service.authenticator, clock: service.clock)
    let session = try #require(
      try await service.store.sessions(of: service.owner.accountID, at: service.clock.now).first)
    #expect(try await tokens.list(service.owner).elements.map(\.name) == ["test"])
    #expect(try await service.store.summary(of: service.owner.accountID)?.tokenCount == 1)
    await #expect(throws: Failure.self) { try await tokens.read(session.id, service.owner) }
    await #expect(throws: Failure.self) { try await tokens.revoke(session.id, service.owner) }
    #expect(try await service.store.revokeToken(session.id, at: service.clock.now) == false)
    #expect(try await browser.get("/servers").status == 200)
    // What is made in a session stays when it ends.
    let page = try await browser.get("/tokens")
    let made = try await browser.submit("/tokens", on: page, ["name": "ci", "permissions": "servers:read"])
    let text = try #require(made.text.firstMatch(of: /vps_[A-Za-z0-9_-]{43}/)?.output)
    try await browser.submit("/sign-out", on: page)
    #expect(try await service.authenticator.caller(bearing: text).permissions == [Permission(.servers, .read)])
    #expect(try await service.contradictions() == [])
  }

  @Test("A password is set, signs in, and ends all other sessions when it is changed")
  func password() async throws {
    let panel = try await TestPanel.make()
    let (browser, other) = (try await panel.signedIn(), try await panel.signedIn())
    let account = try await browser.get("/account")
    let short = try await browser.submit(
      "/account/password", on: account, ["password": "short", "repeated_password": "short"])
    #expect(short.status == 400 && short.text.contains("10 to 256"))
    let different = try await browser.submit(
      "/account/password", on: account, ["password": "correct horse", "repeated_password": "correct house"])
    #expect(different.status == 400 && different.text.contains("This is another one."))
    #expect(!different.text.contains("correct horse"))
    let set = try await browser.submit(
      "/account/password", on: account, ["password": "correct horse", "repeated_password": "correct horse"])
    #expect(set.status == 303)
    #expect(try await browser.get("/servers").status == 200)
    #expect(try await other.get("/servers").status == 303, "Whoever else is signed in is so no more.")

    let visitor = Browser(panel: panel)
    for (email, password) in [
      ("owner@example.com", "wrong horse"), ("nobody@example.com", "correct horse"), ("", ""),
      ("owner@example.com\u{0}", "correct horse"),
      ("owner@example.com", String(repeating: "x", count: 10_000)),
    ] {
      let refused = try await visitor.post("/sign-in", [("email", email), ("password", password)])
      #expect(refused.status == 403 && refused.text.contains("do not belong together"))
      #expect(!refused.text.contains("wrong horse"))
    }
    let right = try await visitor.post(
      "/sign-in", [("email", "owner@example.com"), ("password", "correct horse"), ("next", "/billing")])
    #expect(right.status == 303 && right.location == "/billing")
    #expect(try await visitor.get("/billing").status == 200)

    let again = try await browser.get("/account")
    let unsaid = try await browser.submit(
      "/account/password", on: again, ["password": "another horse", "repeated_password": "another horse"])
    #expect(unsaid.status == 400 && unsaid.text.contains("This is not your password."))
    let removed = try await browser.submit(
      "/account/password", on: again, ["current_password": "correct horse", "remove": "on"])
    #expect(removed.status == 303)
    #expect(try await visitor.get("/servers").status == 303)
    let gone = try await visitor.post(
      "/sign-in", [("email", "owner@example.com"), ("password", "correct horse")])
    #expect(gone.status == 403)
  }

  @Test("Whoever guesses is let guess a few a minute, right or wrong")
  func guessing() async throws {
    let service = try await TestService()
    let panel = TestPanel(service, limits: RequestLimits(requestsPerMinute: 0, loginFailuresPerMinute: 3))
    let visitor = Browser(panel: panel)
    for _ in 0..<3 {
      #expect(try await visitor.post("/sign-in", [("email", "a@b"), ("password", "0123456789")]).status == 403)
    }
    let refused = try await visitor.post("/sign-in", [("email", "a@b"), ("password", "0123456789")])
    #expect(refused.status == 429 && refused.text.contains("Too many requests"))
  }

  @Test(
    "Nobody is sent to another site",
    arguments: [
      "//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/\t/evil.example", "servers",
    ])
  func openRedirect(next: String) async throws {
    let panel = try await TestPanel.make()
    let browser = Browser(panel: panel)
    let link = try await panel.link()
    let reply = try await browser.get(link + "&next=\(next.percentEncoded)")
    #expect(reply.status == 303 && reply.location == "/servers")
  }

  @Test("A closed account's sessions, links and password are gone")
  func closed() async throws {
    let panel = try await TestPanel.make()
    let (caller, _) = try await panel.service.newCaller()
    let browser = try await panel.signedIn(as: caller.accountID)
    let link = try await panel.link(for: caller.accountID)
    _ = try await panel.service.store.closeAccount(
      caller.accountID, deletingServers: true, at: panel.service.clock.now)
    panel.service.clock.advance(by: .seconds(1))
    #expect(try await browser.get("/servers").status == 303)
    #expect(try await Browser(panel: panel).get(link).status == 403)
    #expect(
      try await Sessions.makeLink(for: caller.accountID, panel.service.store, at: panel.service.clock.now) == nil)
  }

  @Test("However many links and sessions are made, an account has so many, and the newest work")
  func quotas() async throws {
    let panel = try await TestPanel.make()
    let first = try await panel.link()
    for _ in 0..<20 { _ = try await panel.link() }
    #expect(try await Browser(panel: panel).get(first).status == 403)
    var browsers: [Browser] = []
    for _ in 0..<51 { browsers.append(try await panel.signedIn()) }
    panel.service.clock.advance(by: .seconds(1))
    #expect(try await browsers[0].get("/servers").status == 303)
    #expect(try await browsers[50].get("/servers").status == 200)
    let store = panel.service.store
    #expect(try await store.sessions(of: panel.service.owner.accountID, at: panel.service.clock.now).count == 50)
  }
}

@Suite("A second factor")
struct SecondFactorTests {
  @Test("The codes are those of RFC 6238")
  func vectors() throws {
    // Of its appendix B, the last six digits.
    let code = OneTimeCode(secret: Array("12345678901234567890".utf8))
    for (seconds, expected) in [
      (59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"), (1_234_567_890, "005924"),
      (2_000_000_000, "279037"), (20_000_000_000, "353130"),
    ] {
      #expect(code.code(at: Int64(seconds / 30)) == expected)
    }
    #expect(OneTimeCode(code.text)?.code(at: 1) == code.code(at: 1) && code.text == "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    for wrong in [
      "", "1", "gezd", code.text + "A", String(code.text.dropLast()), String(repeating: "A", count: 10_000),
    ] {
      #expect(OneTimeCode(wrong) == nil)
    }
  }

  @Test("After the password its code is asked for: each once, a few tries, and a recovery code in its place")
  func signIn() async throws {
    let panel = try await TestPanel.make()
    let clock = panel.service.clock
    let browser = try await panel.signedIn()
    let account = try await browser.get("/account")
    _ = try await browser.submit(
      "/account/password", on: account, ["password": "correct horse", "repeated_password": "correct horse"])
    let form = try await browser.get("/account/second-factor")
    let secret = try #require(
      form.hiddenFields(of: "/account/second-factor").first { $0.0 == "secret" }?.1)
    let code = try #require(OneTimeCode(secret))
    func now() -> String { code.code(at: clock.now.millisecondsSinceEpoch / 30_000) }
    let wrong = try await browser.submit(
      "/account/second-factor", on: form, ["code": "000000", "current_password": "correct horse"])
    let thief = try await browser.submit(
      "/account/second-factor", on: form, ["code": now(), "current_password": "wrong horse"])
    #expect(thief.status == 400 && thief.text.contains("This is not your password."))
    #expect(wrong.status == 400 && wrong.text.contains(secret), "The picture that was read stays.")
    let set = try await browser.submit(
      "/account/second-factor", on: wrong, ["code": now(), "current_password": "correct horse"])
    let recovery = try #require(set.text.firstMatch(of: /class="secret">([^<]+)</)?.output.1).split(separator: " ")
    #expect(set.status == 200 && recovery.count == 10 && Set(recovery).count == 10)

    let visitor = Browser(panel: panel)
    func sayPassword() async throws -> Browser.Reply {
      try await visitor.post("/sign-in", [("email", "owner@example.com"), ("password", "correct horse")])
    }
    func say(_ code: String, _ page: Browser.Reply) async throws -> Browser.Reply {
      try await visitor.submit("/sign-in/code", on: page, ["code": code])
    }
    var asked = try await sayPassword()
    #expect(asked.status == 200 && visitor.cookies.isEmpty && asked.text.contains("one-time-code"))
    #expect(try await say(now(), asked).status == 403, "The code that set it up was used by that.")
    clock.advance(by: .seconds(30))
    #expect(try await say(now(), asked).status == 303)
    #expect(try await visitor.get("/servers").status == 200)
    visitor.cookies = [:]
    asked = try await sayPassword()
    #expect(try await say(now(), asked).status == 403, "Nobody uses a code again.")
    for code in ["", "1", "123456", String(repeating: "1", count: 10_000)] { _ = try await say(code, asked) }
    clock.advance(by: .seconds(30))
    #expect(try await say(now(), asked).location == "/sign-in", "After five tries the password is asked for again.")
    #expect(visitor.cookies.isEmpty)
    #expect(try await say(String(recovery[0]).uppercased(), try await sayPassword()).status == 303)
    visitor.cookies = [:]
    #expect(try await say(String(recovery[0]), try await sayPassword()).status == 403)

    let late = try await sayPassword()
    clock.advance(by: .seconds(300))
    #expect(try await say(now(), late).location == "/sign-in")
    // A link is how somebody gets in who has lost all of it.
    let owner = try await panel.signedIn()
    let page = try await owner.get("/account/second-factor")
    #expect(try await owner.submit("/account/second-factor/remove", on: page, ["code": "000000"]).status == 400)
    clock.advance(by: .seconds(30))
    #expect(
      try await owner.submit("/account/second-factor/remove", on: page, ["code": String(recovery[1])]).status == 303)
    #expect(try await sayPassword().status == 303)
  }

  @Test("An owner who has lost all of it gets in by the operator, and everybody else is out")
  func reset() async throws {
    let panel = try await TestPanel.make()
    let browser = try await panel.signedIn()
    let account = try await browser.get("/account")
    _ = try await browser.submit(
      "/account/password", on: account, ["password": "correct horse", "repeated_password": "correct horse"])
    let form = try await browser.get("/account/second-factor")
    let secret = try #require(form.hiddenFields(of: "/account/second-factor").first { $0.0 == "secret" }?.1)
    let now = panel.service.clock.now
    let code = try #require(OneTimeCode(secret)).code(at: now.millisecondsSinceEpoch / 30_000)
    _ = try await browser.submit(
      "/account/second-factor", on: form, ["code": code, "current_password": "correct horse"])
    let store = panel.service.store
    #expect(try await store.secondFactor(of: panel.service.owner.accountID) != nil)
    #expect(try await Sessions.reset(panel.service.owner.accountID, store, at: now))
    panel.service.clock.advance(by: .seconds(1))
    #expect(try await browser.get("/servers").status == 303)
    #expect(
      try await Browser(panel: panel).post(
        "/sign-in", [("email", "owner@example.com"), ("password", "correct horse")]
      ).status == 403)
    let owner = try await panel.signedIn()
    let again = try await owner.get("/account")
    let set = try await owner.submit(
      "/account/password", on: again, ["password": "another horse", "repeated_password": "another horse"])
    #expect(set.status == 303)
    #expect(try await store.secondFactor(of: panel.service.owner.accountID) == nil)
    #expect(try await !Sessions.reset(ID(99), store, at: now))
  }

  @Test("Whoever is wrong too often is asked no more, from wherever")
  func wrongTries() async throws {
    let panel = try await TestPanel.make()
    let browser = try await panel.signedIn()
    let account = try await browser.get("/account")
    _ = try await browser.submit(
      "/account/password", on: account, ["password": "correct horse", "repeated_password": "correct horse"])
    for _ in 0..<20 {
      let page = try await browser.get("/account")
      let reply = try await browser.submit(
        "/account/password", on: page, ["current_password": "wrong horse", "remove": "on"])
      #expect(reply.text.contains("This is not your password."))
    }
    let page = try await browser.get("/account")
    let refused = try await browser.submit(
      "/account/password", on: page, ["current_password": "correct horse", "remove": "on"])
    #expect(refused.status == 400 && refused.text.contains("Too many wrong tries"))
    panel.service.clock.advance(by: .seconds(3600))
    let later = try await browser.get("/account")
    #expect(
      try await browser.submit(
        "/account/password", on: later, ["current_password": "correct horse", "remove": "on"]
      ).status == 303)
  }
}
