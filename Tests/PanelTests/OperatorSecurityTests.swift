import Core
import Engine
import HTTPTypes
import TestSupport
import Testing

@testable import Panel

@Suite("Nobody but an operator gets to the operator's pages")
struct OperatorSecurityTests {
  static func path(_ route: PanelRoute) -> String { route.path.replacing("{id}", with: "1") }

  static func routes(of panel: TestPanel) -> [PanelRoute] { panel.panel.routes.filter(\.isForOperators) }

  /// The owner is an operator; a customer has a server.
  static func furnished() async throws -> (TestPanel, customer: Caller) {
    let panel = try await TestPanel.make()
    try await panel.setOperator(true)
    let (customer, _) = try await panel.service.newCaller()
    _ = try await panel.service.servers.create(
      ServerDraft(name: "web-1", planID: 3, operatingSystemID: 3, location: "us-west"), customer)
    try await panel.service.settle()
    return (panel, customer)
  }

  @Test("Every page and form: an operator has it, a stranger signs in first, and to a customer it is not there")
  func matrix() async throws {
    let (panel, caller) = try await Self.furnished()
    let customer = try await panel.signedIn(as: caller.accountID)
    let person = try await panel.signedIn()
    let unknown = try await customer.get("/nothing/like/this")
    #expect(unknown.status == 404)
    let proof = try await customer.get("/account").hiddenFields(of: "/sign-out")
    let (_, plain) = try await panel.service.newToken(
      of: panel.service.owner.accountID, permissions: [.everything])
    let (_, powerful) = try await panel.service.newToken(
      of: panel.service.owner.accountID, permissions: [Permission(.operator, .any), .everything])
    let routes = Self.routes(of: panel)
    #expect(routes.count > 20)
    for route in routes {
      let path = Self.path(route)
      let form: HTTPFields = [.contentType: Form.mediaType]
      for token in [nil, plain.text, powerful.text] {
        let browser = Browser(panel: panel)
        browser.cookies["vpsd_session"] = token
        if let token { browser.headers[.authorization] = "Bearer \(token)" }
        let reply = try await browser.send(route.method, path, "", form)
        #expect(reply.status == 303 && reply.location?.hasPrefix("/sign-in") == true, "\(route.method) \(path)")
      }
      // With all that a form of theirs would need.
      let body = proof.map { "\($0.0)=\($0.1)" }.joined(separator: "&") + "&confirmation=web-1&amount=1&email=a@b"
      let hidden = try await customer.send(route.method, path, route.method == .post ? body : "", form)
      #expect(hidden.status == 404, "\(route.method) \(path)")
      if route.method == .get {
        #expect(hidden.text.replacing(path, with: "/nothing/like/this") == unknown.text, "\(path)")
        #expect(hidden.headers[.setCookie] == unknown.headers[.setCookie])
        let shown = try await person.get(path)
        #expect(shown.status == 200 || path == "/operator" && shown.status == 303, "\(path): \(shown.status)")
      } else {
        let lost = try await customer.send(.post, "/nothing/like/this", body, form)
        #expect(hidden.text == lost.text, "\(path)")
        for fields in [[], proof] {
          #expect(try await person.post(path, fields).status == 403, "\(path)")
        }
      }
    }
    #expect(try await customer.get("/servers").links.contains("/operator") == false)
    #expect(try await person.get("/servers").links.contains("/operator"))
    #expect(try await panel.service.servers.read(ID(1), caller).0.server.status == .active)
    #expect(try await panel.service.store.account(caller.accountID)?.balance == Money(microunits: 99_995_000))
  }

  @Test("Who is made no operator any more is none at once, and what was on its way then is not done")
  func demoted() async throws {
    let (panel, customer) = try await Self.furnished()
    let browser = try await panel.signedIn()
    let page = try await browser.get("/operator/servers/1")
    let account = "/operator/accounts/\(customer.accountID)"
    let shown = try await browser.get(account)
    let link = try await browser.submit(account + "/login-link", on: shown)
    #expect(link.status == 200 && link.text.contains("/sign-in?link="))
    let operators = Operators(store: panel.service.database, clock: panel.service.clock)
    let session = try #require(
      try await panel.service.store.sessions(of: panel.service.owner.accountID, at: panel.service.clock.now).first)
    let person = Operator.person(Caller(session))
    for take in [{ try await panel.setOperator(true, isSuspended: true) }, { try await panel.setOperator(false) }] {
      try await take()
      #expect(try await browser.get("/operator/servers/1").status == 404)
      #expect(try await browser.submit("/operator/servers/1/stop", on: page).status == 404)
      // What was answered once is not shown again.
      let again = try await browser.submit(account + "/login-link", on: shown)
      #expect(again.status == 404 && !again.text.contains("/sign-in?link="))
      // The request was let in before.
      let tries: [() async throws -> Void] = [
        { try await operators.servers.perform(.stop, on: ID(1), by: person) },
        { try await operators.servers.delete(ID(1), by: person) },
        { try await operators.servers.suspend(ID(1), because: "", by: person) },
        { _ = try await operators.accounts.suspend(customer.accountID, because: "", by: person) },
        {
          _ = try await operators.accounts.addCredit(Money(microunits: 1), to: customer.accountID, note: "", by: person)
        },
        { _ = try await operators.accounts.makeLink(for: customer.accountID, by: person) },
        { _ = try await operators.accounts.update(customer.accountID, ProfileChange(firstName: "A"), by: person) },
        { _ = try await operators.accounts.create(email: "a@b", .init(), openingCredit: .zero, by: person) },
        { _ = try await operators.hosts.setDraining(true, ID(1), by: person) },
      ]
      for attempt in tries {
        let failure = await #expect(throws: Failure.self) { try await attempt() }
        #expect(failure?.code == .notFound)
      }
    }
    try await panel.service.settle()
    #expect(try await panel.service.servers.read(ID(1), customer).0.server.status == .active)
    #expect(try await panel.service.store.account(customer.accountID)?.firstName == "")
    #expect(try await panel.service.store.hosts().allSatisfy { !$0.host.isDraining })
    #expect(try await panel.service.store.account(email: "a@b") == nil)
    try await panel.setOperator(true)
    let late = try await browser.submit("/operator/servers/1/stop", on: page)
    #expect(late.status == 404 || late.location?.hasPrefix("/sign-in") == true)
    let anew = try await panel.signedIn()
    let again = try await anew.get("/operator/servers/1")
    #expect(try await anew.submit("/operator/servers/1/stop", on: again).location == "/operator/servers/1")
  }

  @Test(
    "Who held a session, a link or the password of an account before it was an operator's gets nowhere with it then")
  func promoted() async throws {
    let panel = try await TestPanel.make()
    let (store, owner) = (panel.service.store, panel.service.owner.accountID)
    let held = try await panel.signedIn()
    let password = "correct horse battery"
    _ = try await held.submit(
      "/account/password", on: try await held.get("/account"), ["password": password, "repeated_password": password])
    #expect(try await store.passwordHash(of: owner) != nil)
    let link = try await panel.link()
    try await panel.setOperator(true)
    panel.service.clock.advance(by: .seconds(2))
    #expect(try await held.get("/operator/accounts").location?.hasPrefix("/sign-in") == true)
    let stranger = Browser(panel: panel)
    _ = try await stranger.get(link)
    #expect(stranger.cookies["vpsd_session"] == nil)
    #expect(try await store.passwordHash(of: owner) == nil)
    #expect(try await store.sessions(of: owner, at: panel.service.clock.now).isEmpty)
    // What is said of it once more takes nothing away.
    let browser = try await panel.signedIn()
    try await panel.setOperator(true)
    panel.service.clock.advance(by: .seconds(2))
    #expect(try await browser.get("/operator/accounts").status == 200)
  }

  @Test("An operator's account is changed on the host only: nobody in the panel makes operators, or speaks for one")
  func amongOperators() async throws {
    let (panel, customer) = try await Self.furnished()
    let browser = try await panel.signedIn()
    let own = panel.service.owner.accountID
    let page = try await browser.get("/operator/accounts/\(own)")
    #expect(page.text.contains("changed on the host only") && page.actions.contains("/operator/accounts/\(own)/credit"))
    for rest in ["login-link", "suspend", "resume", "profile"] {
      let path = "/operator/accounts/\(own)/\(rest)"
      #expect(!page.actions.contains(path))
      let reply = try await browser.post(
        path, page.hiddenFields(of: "/sign-out") + [("email", "owner@example.com"), ("operator", "on")])
      #expect(reply.status == 400 && reply.text.contains("changed on the host only"), "\(rest)")
    }
    for path in ["/operator/accounts/\(own)/profile", "/operator/accounts/\(own)/suspend"] {
      let form = try await browser.get(path)
      #expect(form.text.contains("changed on the host only") && !form.actions.contains(path), "\(path)")
    }
    // What was asked for before the account was an operator's is asked again in the transaction.
    let (store, now) = (panel.service.store, panel.service.clock.now)
    let session = try #require(try await store.sessions(of: own, at: now).first)
    let person = Operator.person(Caller(session))
    let link = NewLoginLink(
      accountID: own, hash: TokenHash(hexadecimal: "ab"), expiresAt: now + .seconds(600), quota: 20)
    let tries: [() async throws -> Void] = [
      { _ = try await store.createLoginLink(link, by: person, at: now) },
      { _ = try await store.updateProfile(of: own, ProfileChange(firstName: "A"), by: person, at: now) },
      { _ = try await store.suspend(account: own, because: "", by: person, at: now) },
    ]
    for attempt in tries {
      let failure = await #expect(throws: Failure.self) { try await attempt() }
      #expect(failure?.code == .permissionDenied)
    }
    // Nor does anybody there take away what a customer signs in with.
    let accounts = Operators(store: panel.service.database, clock: panel.service.clock).accounts
    let refused = await #expect(throws: Failure.self) {
      _ = try await accounts.makeLink(for: customer.accountID, resetting: true, by: person)
    }
    #expect(refused?.code == .permissionDenied)
    // Nor does a field that no form of theirs has make one.
    let profile = "/operator/accounts/\(customer.accountID)/profile"
    let email = try #require(try await store.account(customer.accountID)).email
    let changed = try await browser.submit(
      profile, on: try await browser.get(profile), ["email": email, "operator": "on", "is_operator": "1"])
    #expect(changed.status == 303)
    let creation = "/operator/accounts/create"
    let created = try await browser.submit(
      creation, on: try await browser.get(creation),
      ["email": "ada@example.com", "operator": "on", "is_operator": "1"])
    #expect(created.status == 200)
    #expect(try await store.account(customer.accountID)?.isOperator == false)
    #expect(try await store.account(email: "ada@example.com")?.isOperator == false)
    // Nor do tokens of such an account get more rights.
    let (token, _) = try await panel.service.newToken(of: own, permissions: [.everything])
    #expect(!token.may(Permission(.operator, .read)))
  }

  @Test("A form from another page or another site is refused, and one that is sent twice is done once")
  func forms() async throws {
    let (panel, customer) = try await Self.furnished()
    let (browser, other) = (try await panel.signedIn(), try await panel.signedIn())
    let account = "/operator/accounts/\(customer.accountID)"
    let page = try await browser.get(account)
    let own = page.hiddenFields(of: account + "/credit")
    let foreign = try await other.get(account).hiddenFields(of: account + "/credit")
    let attempts: [(fields: [(String, String)], headers: HTTPFields)] = [
      (foreign, [:]), (own, [.origin: "https://evil.example"]), (own, [.contentType: "text/plain"]),
    ]
    for attempt in attempts {
      let reply = try await browser.post(account + "/credit", attempt.fields + [("amount", "5")], attempt.headers)
      #expect(reply.status == 403)
    }
    for _ in 0..<3 {
      let reply = try await browser.post(account + "/credit", own + [("amount", "5"), ("note", "sorry")])
      #expect(reply.location == account)
    }
    for (language, text) in [("en", "This form was sent already"), ("bg", "Този формуляр вече е изпратен")] {
      let changed = try await browser.post(account + "/credit", own + [("amount", "6")], [.acceptLanguage: language])
      #expect(changed.status == 422 && changed.text.contains(text) && !changed.text.contains("Idempotency"))
    }
    #expect(try await panel.service.store.account(customer.accountID)?.balance == Money(microunits: 104_995_000))
  }

  @Test("Where nobody could tell that a form was sent before, it gives no credit and opens no account")
  func unprotected() async throws {
    let (panel, customer) = try await Self.furnished()
    var limits = Idempotency.Limits()
    limits.requests = 1
    let crowded = TestPanel(panel.service, idempotency: limits)
    let browser = try await crowded.signedIn()
    let credit = "/operator/accounts/\(customer.accountID)/credit"
    let page = try await browser.get("/operator/accounts/\(customer.accountID)")
    let unnamed = page.hiddenFields(of: credit).filter { $0.0 != "form" }
    #expect(try await browser.post(credit, unnamed + [("amount", "5")]).status == 403)
    #expect(
      try await browser.submit("/operator/servers/1/stop", on: try await browser.get("/operator/servers/1")).status
        == 303)
    let full = try await browser.submit(credit, on: page, ["amount": "5"])
    #expect(full.status == 403 && full.text.contains("carried out twice"))
    let form = try await browser.get("/operator/accounts/create")
    let opened = try await browser.submit("/operator/accounts/create", on: form, ["email": "ada@example.com"])
    #expect(opened.status == 403 && opened.text.contains("carried out twice"))
    #expect(try await panel.service.store.account(customer.accountID)?.balance == Money(microunits: 99_995_000))
    #expect(try await panel.service.store.account(email: "ada@example.com") == nil)
  }

  @Test(
    "What anybody wrote is shown as text, on every operator's page",
    arguments: [
      "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "'; alert(1); '", "</title><svg onload=alert(1)>",
    ])
  func markup(text: String) async throws {
    let (panel, customer) = try await Self.furnished()
    let (store, now) = (panel.service.store, panel.service.clock.now)
    var profile = ProfileChange(firstName: text, lastName: text, companyName: text)
    // The store takes what no command would.
    profile.email = text
    _ = try await store.updateProfile(of: customer.accountID, profile, at: now)
    _ = try await store.addCredit(Money(microunits: 1), to: text, note: text, at: now)
    _ = try await store.suspend(server: ID(1), because: text, at: now)
    _ = try await store.suspend(accountOf: text, because: text, at: now)
    let stranger = Browser(panel: panel)
    stranger.headers[.userAgent] = text
    _ = try await stranger.get(try await panel.link(for: customer.accountID))
    let browser = try await panel.signedIn()
    var pages: [Browser.Reply] = []
    for route in OperatorSecurityTests.routes(of: panel) where route.method == .get {
      for id in ["1", "\(customer.accountID)"] {
        pages.append(try await browser.get(route.path.replacing("{id}", with: id)))
      }
    }
    for list in ["accounts", "servers", "audit"] {
      for name in ["search", "account", "server", "status", "host", "after"] {
        pages.append(try await browser.get("/operator/\(list)?\(name)=\(text.percentEncoded)"))
      }
    }
    let creation = try await browser.get("/operator/accounts/create")
    pages.append(
      try await browser.submit(
        "/operator/accounts/create", on: creation, ["email": text + " ", "first_name": text, "amount": text]))
    let account = "/operator/accounts/\(customer.accountID)"
    pages.append(
      try await browser.submit(
        account + "/credit", on: try await browser.get(account), ["amount": text, "note": text]))
    for page in pages {
      #expect(!page.text.contains(text) && page.status < 500)
      #expect(!page.text.contains("onerror=alert(1)>") && !page.text.contains("<svg onload"))
    }
    #expect(pages.count { $0.text.contains("&lt;") || $0.text.contains("&#39;") } > 10)
  }
}

extension TestPanel {
  /// Makes the owner an operator, or none.
  func setOperator(_ isOperator: Bool, isSuspended: Bool = false) async throws {
    var change = ProfileChange()
    change.isOperator = isOperator
    _ = try await service.store.updateProfile(of: service.owner.accountID, change, at: service.clock.now)
    _ = try await service.store.suspend(
      accountOf: "owner@example.com", because: isSuspended ? "" : nil, at: service.clock.now)
  }
}
