import Core
import HTTPTypes
import TestSupport
import Testing

@testable import Engine
@testable import Panel

@Suite("An operator's way through the panel")
struct OperatorPageTests {
  private func furnished() async throws -> (TestPanel, customer: Caller, Browser) {
    let (panel, customer) = try await OperatorSecurityTests.furnished()
    return (panel, customer, try await panel.signedIn())
  }

  @Test(
    "An account: opened with credit and a link that signs its owner in, changed, suspended with a reason, and let go")
  func account() async throws {
    let (panel, _, browser) = try await furnished()
    let store = panel.service.store
    let form = try await browser.get("/operator/accounts/create")
    let wrong = try await browser.submit(
      "/operator/accounts/create", on: form, ["email": "nobody", "amount": "1.1234567"])
    #expect(wrong.status == 400 && wrong.text.contains("id=\"e-amount\"") && wrong.text.contains("value=\"nobody\""))
    let noAddress = try await browser.submit("/operator/accounts/create", on: wrong, ["email": "nobody"])
    #expect(noAddress.status == 400 && noAddress.text.contains("id=\"e-email\""))
    let fields: KeyValuePairs = ["email": "ada@example.com", "first_name": "Ada", "language": "bg", "amount": "12.5"]
    let created = try await browser.submit("/operator/accounts/create", on: noAddress, fields)
    let again = try await browser.submit("/operator/accounts/create", on: noAddress, fields)
    #expect(created.status == 200 && created.text == again.text)
    let taken = try await browser.submit("/operator/accounts/create", on: form, ["email": "ADA@example.com"])
    #expect(taken.status == 400 && taken.text.contains("exists already"))
    let link = try #require(created.text.firstMatch(of: /http:\/\/127\.0\.0\.1(\/sign-in\?link=[^<]+)</)?.output.1)
    let owner = Browser(panel: panel)
    #expect(try await owner.get(String(link)).status == 303)
    #expect(try await owner.get("/account").text.contains("Ada"))
    let account = try #require(try await store.account(email: "ada@example.com"))
    #expect(account.balance == Money(microunits: 12_500_000) && account.language == .bulgarian)

    let path = "/operator/accounts/\(account.id)"
    #expect(try await browser.get("/operator/accounts?search=ADA").links.contains(path))
    let second = try await browser.submit(path + "/login-link", on: try await browser.get(path))
    #expect(second.status == 200 && second.text.contains("/sign-in?link="))
    let profile = try await browser.get(path + "/profile")
    let changed = try await browser.submit(
      path + "/profile", on: profile,
      ["email": "ada@example.com", "first_name": "", "last_name": "Lovelace", "company": "", "mail": "on"])
    #expect(changed.location == path)
    let now = try #require(try await store.account(account.id))
    #expect(now.firstName == "" && now.lastName == "Lovelace" && now.mayMail && now.language == .bulgarian)

    let asked = try await browser.get(path + "/suspend")
    #expect(asked.text.contains("can change nothing"))
    let long = try await browser.submit(path + "/suspend", on: asked, ["reason": String(repeating: "x", count: 256)])
    #expect(long.status == 400 && long.text.contains("id=\"e-reason\""))
    #expect(try await browser.submit(path + "/suspend", on: long, ["reason": "unpaid & late"]).location == path)
    #expect(try await owner.get("/servers").text.contains("unpaid &amp; late"))
    let suspended = try await browser.get(path)
    #expect(suspended.text.contains("unpaid &amp; late") && suspended.actions.contains(path + "/resume"))
    #expect(try await browser.submit(path + "/resume", on: suspended).location == path)
    #expect(try await store.account(account.id)?.suspension == AccountSuspension.none)

    // Who did it stands in the audit, by the account of whoever was signed in.
    let trail = try await store.auditTrail(filter(account.id), before: nil, limit: 100)
    let actions = trail.filter { $0.tokenEmail == "owner@example.com" }.map(\.action)
    #expect(
      actions == [
        "account.resume", "account.suspend", "account.update", "account.login_link", "account.login_link",
        "account.create",
      ])
    #expect(
      trail.filter { actions.contains($0.action) }.allSatisfy { $0.tokenID != nil && $0.email == "ada@example.com" })
    let audit = try await browser.get("/operator/audit?account=ada@example.com")
    #expect(audit.text.contains("account.suspend") && audit.text.contains("owner@example.com"))
    let everything = try await browser.get("/operator/audit")
    #expect(everything.text.contains("the host: a command, or the service itself"))
  }

  @Test("A profile that was looked at before its address was changed is not written back")
  func staleProfile() async throws {
    let (panel, customer, browser) = try await furnished()
    let store = panel.service.store
    let path = "/operator/accounts/\(customer.accountID)/profile"
    let page = try await browser.get(path)
    let old = try #require(try await store.account(customer.accountID)).email
    var change = ProfileChange()
    change.email = "right@example.com"
    _ = try await store.updateProfile(of: customer.accountID, change, at: panel.service.clock.now)
    let refused = try await browser.submit(path, on: page, ["email": old, "first_name": "Ada"])
    #expect(refused.status == 400 && refused.text.contains("was changed meanwhile"))
    #expect(refused.text.contains("value=\"right@example.com\"") && !refused.text.contains(old))
    #expect(try await store.account(customer.accountID)?.firstName == "")
    let again = try await browser.submit(path, on: refused, ["email": "right@example.com", "first_name": "Ada"])
    #expect(again.status == 303)
    let now = try #require(try await store.account(customer.accountID))
    #expect(now.email == "right@example.com" && now.firstName == "Ada")
  }

  private func filter(_ account: ID<Account>) -> AuditFilter {
    var filter = AuditFilter()
    filter.accountID = account
    return filter
  }

  @Test("Credit is added once, with a note that its customer reads; what is none is said at its field")
  func credit() async throws {
    let (panel, customer, browser) = try await furnished()
    let path = "/operator/accounts/\(customer.accountID)"
    let page = try await browser.get(path)
    for amount in ["", "0", "-1", "a", "0.0000001", "99999999999999999999"] {
      let reply = try await browser.submit(path + "/credit", on: try await browser.get(path), ["amount": amount])
      #expect(reply.status == 400 && reply.text.contains("id=\"e-amount\""), "\(amount)")
    }
    #expect(try await browser.submit(path + "/credit", on: page, ["amount": "1.5", "note": "sorry"]).location == path)
    let after = try await browser.get(path)
    #expect(after.text.contains("sorry") && after.text.contains("101.495"))
    #expect(try await panel.signedIn(as: customer.accountID).get("/billing").text.contains("sorry"))
  }

  @Test("A server of anybody's: stopped, started, suspended with a reason, and deleted by typing its name")
  func server() async throws {
    let (panel, customer, browser) = try await furnished()
    let path = "/operator/servers/1"
    func status() async throws -> ServerStatus {
      await panel.service.billing.pollOnce()
      try await panel.service.settle()
      return try await panel.service.servers.read(ID(1), customer).0.server.status
    }
    let page = try await browser.get(path)
    for text in ["web-1", "Nano VPS", "local", "Debian 12", "0.005 USD an hour"] {
      #expect(page.text.contains(text), "\(text)")
    }
    #expect(try await browser.submit(path + "/stop", on: page).location == path)
    #expect(try await status() == .stopped)
    let refused = try await browser.post(path + "/stop", page.hiddenFields(of: "/sign-out"))
    #expect(refused.status == 400 && refused.text.contains("Server is not running."))
    #expect(try await browser.submit(path + "/start", on: try await browser.get(path)).location == path)
    #expect(try await status() == .active)
    let asked = try await browser.get(path + "/power-off")
    #expect(asked.text.contains("is lost"))
    #expect(try await browser.submit(path + "/power-off", on: asked).location == path)
    #expect(try await status() == .stopped)

    let suspension = try await browser.get(path + "/suspend")
    #expect(try await browser.submit(path + "/suspend", on: suspension, ["reason": "spam"]).location == path)
    #expect(try await status() == .suspended)
    let suspended = try await browser.get(path)
    #expect(suspended.text.contains("spam"))
    #expect(try await browser.submit(path + "/resume", on: suspended).location == path)
    #expect(try await status() == .stopped)

    let question = try await browser.get(path + "/delete")
    #expect(question.text.contains("This cannot be undone"))
    let wrong = try await browser.submit(path + "/delete", on: question, ["confirmation": "web-2"])
    #expect(wrong.status == 400 && wrong.text.contains("This is not its name."))
    #expect(
      try await browser.submit(path + "/delete", on: wrong, ["confirmation": "web-1"]).location == "/operator/servers")
    #expect(try await browser.get(path).text.contains("is being deleted"))
    try await panel.service.settle()
    #expect(try await browser.get("/operator/servers").links.contains(path) == false)
    let trail = try await panel.service.store.auditTrail(filter(customer.accountID), before: nil, limit: 100)
    #expect(
      trail.filter { $0.tokenEmail == "owner@example.com" }.map(\.action) == [
        "server.delete", "server.resume", "server.suspend", "server.hard_stop", "server.start", "server.stop",
      ])
    #expect(try await panel.service.contradictionsAtRest() == [])
  }

  @Test("A host takes no more servers, and takes them again")
  func host() async throws {
    let (panel, _, browser) = try await furnished()
    let page = try await browser.get("/operator/hosts")
    #expect(page.text.contains("local") && page.text.contains("1 server"))
    #expect(try await browser.submit("/operator/hosts/1/drain", on: page).location == "/operator/hosts")
    #expect(try await panel.service.store.hosts().first?.host.state == .draining)
    let draining = try await browser.get("/operator/hosts")
    #expect(try await browser.submit("/operator/hosts/1/undrain", on: draining).location == "/operator/hosts")
    #expect(try await panel.service.store.hosts().first?.host.state == .active)
    #expect(try await browser.post("/operator/hosts/9/drain", page.hiddenFields(of: "/sign-out")).status == 404)
    let trail = try await panel.service.store.auditTrail(.init(), before: nil, limit: 2)
    #expect(trail.map(\.action) == ["host.undrain", "host.drain"])
    #expect(trail.allSatisfy { $0.tokenEmail == "owner@example.com" })
  }

  @Test("A host that is being switched off is let back, and it is said why one is left on")
  func fencing() async throws {
    let (panel, _, browser) = try await furnished()
    let (store, now) = (panel.service.store, panel.service.clock.now)
    let host = try #require(try await store.hosts().first?.host.id)
    try await store.recordAway(host, since: now)
    #expect(try await store.recordNoFence(of: host, awaySince: now, because: "Nobody has room."))
    let left = try await browser.get("/operator/hosts")
    #expect(left.text.contains("is not switched off: Nobody has room."))
    #expect(try await store.beginFence(of: host, awaySince: now))
    let page = try await browser.get("/operator/hosts")
    #expect(!page.text.contains("Nobody has room."))
    #expect(try await browser.submit("/operator/hosts/\(host)/undrain", on: page).location == "/operator/hosts")
    #expect(try await store.hosts().first?.host.fence == .released)
  }

  @Test("Systems are shown with the versions that servers have, and with the commands that change them")
  func systems() async throws {
    let (_, _, browser) = try await furnished()
    let page = try await browser.get("/operator/systems")
    for text in ["Debian 12", "Ubuntu 22.04 LTS", "vpsd image update", "1 server"] {
      #expect(page.text.contains(text), "\(text)")
    }
  }

  @Test("Lists are searched, filtered and turned over, each row once")
  func lists() async throws {
    let (panel, customer, browser) = try await furnished()
    let (store, now) = (panel.service.store, panel.service.clock.now)
    for number in 0..<130 {
      _ = try await store.createAccount(email: "Many\(number)@example.com", openingCredit: .zero, at: now)
    }
    func all(_ path: String, _ pattern: String) async throws -> [String] {
      var (found, next): ([String], String?) = ([], path)
      while let path = next {
        let page = try await browser.get(path)
        #expect(page.status == 200, "\(path)")
        found += page.text.matches(of: try Regex<(Substring, Substring)>(pattern)).map { String($0.output.1) }
        next = page.text.firstMatch(of: /href="([^"]*)">Next</).map {
          String($0.output.1).replacing("&amp;", with: "&")
        }
      }
      return found
    }
    let emails = "class=\"name\"[^>]*>([^<]+)<"
    let everybody = try await all("/operator/accounts", emails)
    #expect(everybody.count == 132 && Set(everybody).count == 132 && everybody.first == "Many129@example.com")
    let many = try await all("/operator/accounts?search=mANY", emails)
    #expect(many.count == 130 && Set(many).count == 130 && many.first == "Many0@example.com")
    #expect(try await all("/operator/accounts?search=many12", emails).count == 11)
    #expect(try await all("/operator/accounts?search=\(customer.accountID)", emails).count == 1)
    for text in ["%25", "_", "x@", "'"] {
      #expect(try await all("/operator/accounts?search=\(text)", emails).isEmpty, "\(text)")
    }

    for name in ["a-1", "b-1", "B-2"] {
      _ = try await panel.service.servers.create(
        ServerDraft(name: name, planID: 3, operatingSystemID: 3, location: "us-west"), panel.service.owner)
    }
    try await panel.service.settle()
    func names(_ query: String) async throws -> [String] { try await all("/operator/servers" + query, emails) }
    #expect(try await names("") == ["B-2", "b-1", "a-1", "web-1"])
    #expect(try await names("?search=b") == ["b-1", "B-2"])
    #expect(try await names("?search=1") == ["web-1"], "By its number.")
    #expect(try await names("?account=\(customer.accountID)") == ["web-1"])
    #expect(try await names("?account=owner@example.com&status=active&host=1") == ["B-2", "b-1", "a-1"])
    for query in ["?account=nobody@example.com", "?status=error", "?host=2", "?search=c", "?after=1"] {
      #expect(try await names(query).isEmpty, "\(query)")
    }
    // What can be nothing's leads to nothing, and not to everything.
    for query in ["?search=%07", "?account=%07", "?status=broken", "?host=local"] {
      #expect(try await names(query).isEmpty, "\(query)")
    }
    #expect(try await names("?search=&account=&status=&host=").count == 4)
    #expect(try await all("/operator/accounts?search=%07", emails).isEmpty)
    for query in ["?account=%07", "?server=%07"] {
      #expect(try await all("/operator/audit" + query, "<td><code>([^<]+)<").isEmpty, "\(query)")
    }
    let audit = try await all("/operator/audit", "<td><code>([^<]+)<")
    #expect(audit.count > 130 && audit.count { $0 == "account.create" } == 131)
    #expect(try await all("/operator/audit?server=1", "<td><code>([^<]+)<") == ["server.create"])
    #expect(try await all("/operator/audit?server=web-1", "<td><code>([^<]+)<").isEmpty)
  }

  @Test("Whoever has no second factor is told what that means on every page")
  func secondFactor() async throws {
    let (panel, _, browser) = try await furnished()
    for route in OperatorSecurityTests.routes(of: panel) where route.method == .get && route.path != "/operator" {
      let page = try await browser.get(OperatorSecurityTests.path(route))
      #expect(page.text.contains("This account has no second factor"), "\(route.path)")
    }
    let account = try await browser.get("/account")
    let password = "correct horse battery"
    _ = try await browser.submit(
      "/account/password", on: account, ["password": password, "repeated_password": password])
    let setup = try await browser.get("/account/second-factor")
    let secret = try #require(setup.hiddenFields(of: "/account/second-factor").first { $0.0 == "secret" }?.1)
    let code = try #require(OneTimeCode(secret)).code(at: panel.service.clock.now.millisecondsSinceEpoch / 30_000)
    #expect(
      try await browser.submit(
        "/account/second-factor", on: setup, ["code": code, "current_password": password]
      ).status == 200)
    #expect(try await !browser.get("/operator/accounts").text.contains("This account has no second factor"))
  }

  @Test("In Bulgarian no word of English is left, on any operator's page")
  func bulgarian() async throws {
    let (panel, _, browser) = try await furnished()
    browser.headers[.acceptLanguage] = "bg"
    let common = LanguageTests.common.union([
      "UUID", "Host", "host", "local", "simulated", "vpsd", "debian-12", "ubuntu-22", "server", "create", "session",
      "begin", "login_link", "update", "credit", "operator", "us-west",
    ])
    for route in OperatorSecurityTests.routes(of: panel) where route.method == .get && route.path != "/operator" {
      let page = try await browser.get(OperatorSecurityTests.path(route))
      #expect(page.status == 200 && page.text.contains("<html lang=\"bg\""), "\(route.path)")
      let told = Browser.Reply(
        status: page.status, headers: page.headers, text: page.text.replacing(/<code[^>]*>[^<]*<\/code>/, with: ""))
      let text = told.words.replacing(/[0-9a-f]{8}-[0-9a-f-]+/, with: "").replacing(/[^\s]+@[^\s]+/, with: "")
      let strangers = Set(text.matches(of: /[A-Za-z][A-Za-z0-9_-]*/).map { String($0.output) }).subtracting(common)
        .filter { $0.count > 2 && !$0.contains(/[0-9]/) }
      #expect(strangers.isEmpty, "\(route.path)")
    }
  }
}
