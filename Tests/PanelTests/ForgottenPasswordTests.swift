import API
import Core
import HTTPTypes
import SQLStore
import TestSupport
import Testing

@testable import Engine
@testable import Panel

@Suite("A password that was forgotten")
struct ForgottenPasswordTests {
  private static let email = "owner@example.com"

  private static func ask(_ panel: TestPanel, _ email: String = email) async throws -> String {
    let reply = try await Browser(panel: panel).post("/sign-in/forgotten", [("email", email)])
    #expect(reply.status == 200)
    return reply.text
  }

  /// Delivers what is due, and returns where the newest link leads to.
  private static func mailedLink(_ panel: TestPanel, _ mailbox: Mailbox) async throws -> String? {
    let service = panel.service
    let sender = NoticeSender(
      store: service.store, receiver: mailbox, currency: "EUR", panel: "https://vps.example.com", clock: service.clock,
      logger: panel.logger)
    await sender.pollOnce()
    let text = mailbox.empty().last { $0.notice.kind == .loginLink }?.text ?? ""
    return text.firstMatch(of: /https:\/\/vps\.example\.com(\/sign-in\?link=[A-Za-z0-9_-]{43})\n/).map {
      String($0.output.1)
    }
  }

  /// Follows a link and agrees.
  private static func use(_ link: String, _ browser: Browser) async throws -> Browser.Reply {
    let page = try await browser.get(link)
    return page.status == 200 ? try await browser.submit("/sign-in", on: page) : page
  }

  private static func setPassword(_ browser: Browser, _ password: String) async throws -> Int {
    try await browser.submit(
      "/account/password", on: try await browser.get("/account"),
      ["password": password, "repeated_password": password]
    ).status
  }

  @Test(
    "Its owner is mailed a link that signs in once, after which another one can be set and the old one is good no more")
  func forgotten() async throws {
    let panel = try await TestPanel.make()
    let mailbox = Mailbox()
    try await panel.service.store.setNotices(areWritten: true)
    #expect(try await Self.setPassword(try await panel.signedIn(), "correct horse") == 303)
    #expect(try await Browser(panel: panel).get("/sign-in").text.contains("href=\"/sign-in/forgotten\""))
    #expect(try await Self.ask(panel).contains("If there is an account with this address"))
    let link = try #require(try await Self.mailedLink(panel, mailbox))
    // Whoever did not ask and leaves it alone signs in as before.
    let asBefore = [("email", Self.email), ("password", "correct horse")]
    #expect(try await Browser(panel: panel).post("/sign-in", asBefore).status == 303)
    // So it is where a program that looks at mails follows it, as often as it likes.
    let browser = Browser(panel: panel)
    for _ in 0..<3 { #expect(try await browser.get(link).status == 200) }
    #expect(browser.cookies.isEmpty)
    #expect(try await Browser(panel: panel).post("/sign-in", asBefore).status == 303)
    #expect(try await Self.use(link, browser).status == 303)
    #expect(try await Self.use(link, Browser(panel: panel)).status == 403)
    #expect(try await Browser(panel: panel).post("/sign-in", asBefore).status == 403)
    let trail = try await panel.service.database.auditTrail(newest: 5)
    #expect(trail.contains { $0.action == "password.forget" && $0.email == Self.email })
    #expect(try await Self.setPassword(browser, "another horse") == 303)
    #expect(
      try await Browser(panel: panel).post("/sign-in", [("email", Self.email), ("password", "another horse")]).status
        == 303)
    #expect(try await panel.service.contradictions() == [])
  }

  @Test(
    "Nobody learns whether there is an account, and nobody is mailed more than one in five minutes and ten in a day")
  func limits() async throws {
    let panel = try await TestPanel.make()
    let mailbox = Mailbox()
    let service = panel.service
    try await service.store.setNotices(areWritten: true)
    let known = try await Self.ask(panel)
    for stranger in [
      "nobody@example.com", "", "@", "OWNER@example.com", String(repeating: "x", count: 10_000), "a\u{0}b@c",
    ] {
      #expect(try await Self.ask(panel, stranger) == known)
    }
    _ = try await Self.ask(panel)
    #expect(try await service.store.notices(.waiting, before: nil, limit: 100).map(\.notice.kind) == [.loginLink])
    var links: Set<String> = []
    for _ in 0..<20 {
      if let link = try await Self.mailedLink(panel, mailbox) { links.insert(link) }
      service.clock.advance(by: .seconds(301))
      _ = try await Self.ask(panel)
    }
    #expect(links.count == 10)
    service.clock.advance(by: .seconds(86_400))
    _ = try await Self.ask(panel)
    #expect(try await Self.mailedLink(panel, mailbox) != nil)
  }

  /// Of an account with a password and a second factor.
  private static func guarded(_ panel: TestPanel) async throws -> (
    link: String, factor: OneTimeCode, recovery: [String]
  ) {
    let service = panel.service
    try await service.store.setNotices(areWritten: true)
    #expect(try await setPassword(try await panel.signedIn(), "correct horse") == 303)
    let cookie = try await panel.signedIn().cookies["vpsd_session"]
    let session = try #require(cookie.flatMap { SessionText($0) })
    let person = try await service.authenticator.caller(in: session)
    let sessions = Sessions(store: service.store, authenticator: service.authenticator, clock: service.clock)
    let factor = Sessions.newSecondFactor()
    let recovery = try await sessions.setSecondFactor(
      factor, code: factor.code(at: service.clock.now.millisecondsSinceEpoch / 30_000), password: "correct horse",
      person)
    _ = try await ask(panel)
    return (try #require(try await mailedLink(panel, Mailbox())), factor, recovery)
  }

  @Test("A link that was mailed does not do without the second factor; whoever is wrong about that changes nothing")
  func secondFactor() async throws {
    let panel = try await TestPanel.make()
    let (link, _, recovery) = try await Self.guarded(panel)
    let browser = Browser(panel: panel)
    let asked = try await Self.use(link, browser)
    #expect(asked.status == 200 && browser.cookies.isEmpty && asked.text.contains("name=\"code\""))
    let pending = asked.hiddenFields(of: "/sign-in/code")
    for wrong in ["000000", "", "x"] {
      #expect(try await browser.post("/sign-in/code", pending + [("code", wrong)]).status == 403)
    }
    #expect(browser.cookies.isEmpty)
    let known = try await Browser(panel: panel).post(
      "/sign-in", [("email", Self.email), ("password", "correct horse")])
    #expect(known.text.contains("name=\"code\""), "The password is as good as before.")
    let again = try await Self.use(link, browser).hiddenFields(of: "/sign-in/code")
    #expect(try await browser.post("/sign-in/code", again + [("code", recovery[0])]).status == 303)
    let account = try await browser.get("/account")
    #expect(account.status == 200 && account.text.contains("/account/second-factor"))
    #expect(try await Self.use(link, Browser(panel: panel)).status == 403)
    #expect(try await panel.service.contradictions() == [])
  }

  @Test("However often the link is followed, a code can be guessed a few times an hour only")
  func guesses() async throws {
    let panel = try await TestPanel.make()
    let (link, _, recovery) = try await Self.guarded(panel)
    let browser = Browser(panel: panel)
    for _ in 0..<5 {
      let pending = try await Self.use(link, browser).hiddenFields(of: "/sign-in/code")
      for _ in 0..<4 { _ = try await browser.post("/sign-in/code", pending + [("code", "000000")]) }
    }
    let pending = try await Self.use(link, browser).hiddenFields(of: "/sign-in/code")
    let refused = try await browser.post("/sign-in/code", pending + [("code", recovery[0])])
    #expect(refused.status != 303 && browser.cookies.isEmpty)
  }

  @Test("Another password, another address or the operator's reset end what was mailed, and what is still to be")
  func superseded() async throws {
    let panel = try await TestPanel.make()
    let (service, mailbox) = (panel.service, Mailbox())
    try await service.store.setNotices(areWritten: true)
    for supersede in [
      { _ = try await Self.setPassword(try await panel.signedIn(), "correct horse") },
      { _ = try await Sessions.reset(service.owner.accountID, service.store, at: service.clock.now) },
      {
        for email in ["other@example.com", Self.email] {
          var change = ProfileChange()
          change.email = email
          _ = try await service.store.updateProfile(of: service.owner.accountID, change, at: service.clock.now)
        }
      },
    ] as [() async throws -> Void] {
      _ = try await Self.ask(panel)
      let link = try #require(try await Self.mailedLink(panel, mailbox))
      service.clock.advance(by: .seconds(301))
      _ = try await Self.ask(panel)
      try await supersede()
      #expect(try await Self.use(link, Browser(panel: panel)).status == 403)
      #expect(try await Self.mailedLink(panel, mailbox) == nil)
      service.clock.advance(by: .seconds(301))
    }
  }

  @Test("A mail that fails is tried again with a link of its own; what the mail program said of it is kept nowhere")
  func failure() async throws {
    let panel = try await TestPanel.make()
    let (service, mailbox) = (panel.service, Mailbox())
    try await service.store.setNotices(areWritten: true)
    _ = try await Self.ask(panel)
    mailbox.fail(UndeliveredNotice("smtp: https://vps.example.com/sign-in?link=secret"))
    #expect(try await Self.mailedLink(panel, mailbox) == nil)
    let waiting = try await service.store.notices(.waiting, before: nil, limit: 10)
    #expect(waiting.map(\.attempts) == [1] && waiting.first?.failure?.contains("secret") == false)
    mailbox.fail(nil)
    service.clock.advance(by: .seconds(61))
    let link = try #require(try await Self.mailedLink(panel, mailbox))
    #expect(try await Self.use(link, Browser(panel: panel)).status == 303)
  }

  @Test("It is too late after an hour, whether the mail was late or its reader")
  func late() async throws {
    let panel = try await TestPanel.make()
    let (service, mailbox) = (panel.service, Mailbox())
    try await service.store.setNotices(areWritten: true)
    _ = try await Self.ask(panel)
    let link = try #require(try await Self.mailedLink(panel, mailbox))
    service.clock.advance(by: .seconds(3600))
    #expect(try await Self.use(link, Browser(panel: panel)).status == 403)
    _ = try await Self.ask(panel)
    service.clock.advance(by: .seconds(3600))
    #expect(try await Self.mailedLink(panel, mailbox) == nil)
    #expect(try await service.store.notices(.givenUp, before: nil, limit: 10).count == 1)
  }

  @Test("Nobody asks from another site's page, nor more than a few times a minute")
  func strangers() async throws {
    let service = try await TestService()
    let panel = TestPanel(service, limits: RequestLimits(requestsPerMinute: 0, loginFailuresPerMinute: 2))
    try await service.store.setNotices(areWritten: true)
    let form = [("email", Self.email)]
    let foreign = try await Browser(panel: panel).post(
      "/sign-in/forgotten", form, [.origin: "https://evil.example"])
    #expect(foreign.status == 403)
    #expect(try await service.store.notices(nil, before: nil, limit: 10) == [])
    let statuses = [
      try await Browser(panel: panel).post("/sign-in/forgotten", form).status,
      try await Browser(panel: panel).post("/sign-in/forgotten", form).status,
      try await Browser(panel: panel).post("/sign-in/forgotten", form).status,
    ]
    #expect(statuses == [200, 200, 429])
  }

  @Test("Where the service mails nobody, there is no such page, and the operator is who helps")
  func nobodyMails() async throws {
    let service = try await TestService()
    let panel = TestPanel(service, mailsLinks: false)
    #expect(try await Browser(panel: panel).get("/sign-in/forgotten").status == 404)
    #expect(try await Browser(panel: panel).get("/sign-in").text.contains("vpsd account login-link"))
  }
}
