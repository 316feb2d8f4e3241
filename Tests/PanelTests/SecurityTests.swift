import API
import Core
import Engine
import HTTPTypes
import TestSupport
import Testing

@testable import Panel

@Suite("Nobody gets through the panel to what is not theirs")
struct SecurityTests {
  private static func path(_ route: PanelRoute) -> String {
    route.path.replacing("{id}", with: "1").replacing("{copy}", with: "1")
  }

  private static let open = [
    "GET /", "GET /sign-in", "POST /sign-in", "POST /sign-in/code", "GET /sign-in/forgotten",
    "POST /sign-in/forgotten",
  ]

  @Test("Without a session every page sends to sign in, and nothing is done")
  func strangers() async throws {
    let panel = try await Self.furnished()
    for route in panel.panel.routes where !Self.open.contains("\(route.method) \(route.path)") {
      for cookie in [nil, "x", String(repeating: "A", count: 43)] {
        let browser = Browser(panel: panel)
        browser.cookies["vpsd_session"] = cookie
        let reply = try await browser.send(route.method, Self.path(route), "", [.contentType: Form.mediaType])
        #expect(reply.status == 303 && reply.location?.hasPrefix("/sign-in") == true, "\(route.method) \(route.path)")
      }
    }
  }

  @Test("What is another account's is not found, on every page, and is as it was")
  func others() async throws {
    let panel = try await Self.furnished()
    let (caller, _) = try await panel.service.newCaller()
    let browser = try await panel.signedIn(as: caller.accountID)
    let proof = try await browser.get("/account").hiddenFields(of: "/sign-out")
    // A session of the owner's, which is no number 1.
    _ = try await panel.signedIn()
    let sessions = try await panel.service.store.sessions(
      of: panel.service.owner.accountID, at: panel.service.clock.now)
    let session = try #require(sessions.first?.id)
    for route in panel.panel.routes where route.path.contains("{id}") {
      let path = route.path.hasPrefix("/account/sessions") ? "/account/sessions/\(session)/end" : Self.path(route)
      let body =
        proof.map { "\($0.0)=\($0.1)" }.joined(separator: "&")
        + "&name=a&hostname=b&confirmation=web-1&understood=on&system=3&plan=1"
      let reply = try await browser.send(
        route.method, path, route.method == .post ? body : "", [.contentType: Form.mediaType])
      // A copy is asked for by the server that it is of, which says that it knows none.
      #expect([404, 400].contains(reply.status), "\(route.method) \(route.path): \(reply.status)")
      #expect(!reply.text.contains("web-1") || reply.text.contains("confirmation"), "\(route.path)")
    }
    #expect(try await panel.service.servers.read(ID(1), panel.service.owner).0.server.status == .active)
    let left = try await panel.service.store.sessions(
      of: panel.service.owner.accountID, at: panel.service.clock.now)
    #expect(left.map(\.id) == sessions.map(\.id))
  }

  @Test("By https a cookie counts only where nobody else can have set it")
  func plantedCookie() async throws {
    let plain = try await TestPanel.make()
    let attacker = try await plain.signedIn()
    let secure = TestPanel(plain.service, publicURL: .init("https://vps.example.com"))
    let victim = Browser(panel: secure)
    victim.cookies = attacker.cookies
    #expect(try await victim.get("/servers").status == 303)
    let owner = try await secure.signedIn()
    #expect(try await owner.get("/servers").status == 200 && owner.cookies.keys.contains("__Host-vpsd_session"))
  }

  @Test("Whoever is signed in is not made somebody else by a link without saying so")
  func plantedLink() async throws {
    let panel = try await TestPanel.make()
    let (stranger, _) = try await panel.service.newCaller()
    let browser = try await panel.signedIn()
    let link = try await panel.link(for: stranger.accountID)
    let asked = try await browser.get(link)
    #expect(asked.status == 200 && asked.text.contains("signed in already"))
    #expect(try await browser.get("/servers").text.contains("owner@example.com"))
    #expect(try await browser.submit("/sign-in", on: asked).status == 303)
    #expect(try await !browser.get("/servers").text.contains("owner@example.com"))
  }

  @Test("A form from another page, an older session or another site is refused, and nothing is done")
  func forgery() async throws {
    let panel = try await Self.furnished()
    let (browser, other) = (try await panel.signedIn(), try await panel.signedIn())
    let own = try await browser.get("/servers/1").hiddenFields(of: "/sign-out")
    let foreign = try await other.get("/servers/1").hiddenFields(of: "/sign-out")
    for route in panel.panel.routes
    where route.method == .post && !route.path.hasPrefix("/sign-in") && !route.isForOperators {
      let path = Self.path(route)
      let attempts: [(fields: [(String, String)], headers: HTTPFields)] = [
        ([], [:]), (foreign, [:]), ([("proof", "")], [:]),
        ([("proof", String(repeating: "e\u{301}", count: 100_000))], [:]),
        (own, [.origin: "https://evil.example"]), (own, [.origin: "null"]), (own, [.contentType: "text/plain"]),
      ]
      for attempt in attempts {
        let reply = try await browser.post(path, attempt.fields, attempt.headers)
        #expect(reply.status == 403, "\(route.path) \(attempt.headers): \(reply.status)")
      }
    }
    #expect(try await browser.get("/servers").status == 200)
    #expect(try await panel.service.servers.read(ID(1), panel.service.owner).0.server.status == .active)
    let signIn = try await Browser(panel: panel).post(
      "/sign-in", [("email", "a@b"), ("password", "0123456789")], [.origin: "https://evil.example"])
    #expect(signIn.status == 403)
  }

  @Test(
    "What anybody wrote is shown as text, on every page",
    arguments: [
      "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "'; alert(1); '", "</title><svg onload=alert(1)>",
    ])
  func markup(text: String) async throws {
    let panel = try await Self.furnished()
    let browser = try await panel.signedIn()
    let service = panel.service
    _ = try await service.store.updateProfile(
      of: service.owner.accountID, ProfileChange(firstName: text, companyName: text), at: service.clock.now)
    _ = try await service.store.suspend(accountOf: "owner@example.com", because: nil, at: service.clock.now)
    let keys = try await browser.get("/ssh-keys")
    _ = try await browser.submit("/ssh-keys", on: keys, ["name": text, "public_key": text])
    let tokens = try await browser.get("/tokens")
    _ = try await browser.submit("/tokens", on: tokens, ["name": text, "permissions": "*:*"])
    let copies = try await browser.get("/servers/1/copies")
    _ = try await browser.submit("/servers/1/snapshots", on: copies, ["name": "s", "description": text])
    let firewall = try await browser.get("/servers/1/firewall")
    _ = try await browser.submit(
      "/servers/1/firewall", on: firewall,
      ["direction": "in", "protocol": "icmp", "port": "", "networks": "", "description": text])
    let create = try await browser.get("/servers/create")
    var pages = [
      try await browser.submit("/servers/create", on: create, ["name": text, "hostname": text, "public_key": text]),
      try await browser.get("/servers?search=\(text.percentEncoded)"),
      try await browser.get("/nothing/\(text.percentEncoded)"),
    ]
    for route in panel.panel.routes where route.method == .get && route.path != "/events" {
      pages.append(try await browser.get(Self.path(route)))
    }
    for page in pages {
      #expect(!page.text.contains(text))
      #expect(!page.text.contains("onerror=alert(1)>") && !page.text.contains("<svg onload"))
    }
    #expect(pages.contains { $0.text.contains("&lt;") || $0.text.contains("&#39;") })
  }

  @Test("Every page forbids what it does not need: scripts and styles of others, frames, and that anybody keeps it")
  func headers() async throws {
    let panel = try await Self.furnished()
    let browser = try await panel.signedIn()
    for route in panel.panel.routes where route.method == .get && !["/", "/events"].contains(route.path) {
      let reply = try await browser.get(Self.path(route))
      let policy = reply.headers[.contentSecurityPolicy] ?? ""
      #expect(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "\(route.path)")
      #expect(policy.contains("frame-ancestors 'none'") && reply.headers[.cacheControl] == "no-store", "\(route.path)")
      #expect(reply.headers[.xContentTypeOptions] == "nosniff", "\(route.path)")
      #expect(!reply.text.contains(/<[^>]+ (style|on[a-z]+)=/), "\(route.path)")
      #expect(reply.text.utf8.count < 100_000, "\(route.path)")
    }
  }

  @Test("A suspended account reads why on every page, and changes nothing")
  func suspended() async throws {
    let panel = try await Self.furnished()
    let browser = try await panel.signedIn()
    let service = panel.service
    _ = try await service.store.suspend(accountOf: "owner@example.com", because: "spam", at: service.clock.now)
    service.clock.advance(by: .seconds(1))
    let page = try await browser.get("/servers/1/settings")
    #expect(page.text.contains("suspended by the operator: spam"))
    let refused = try await browser.submit("/servers/1/delete", on: page, ["confirmation": "web-1"])
    #expect(refused.status == 400 && refused.text.contains("Your account is suspended"))
    #expect(try await browser.submit("/sign-out", on: page).status == 303)
    #expect(try await panel.signedIn().get("/servers").status == 200)
  }

  /// With one of everything.
  private static func furnished() async throws -> TestPanel {
    let panel = try await TestPanel.make()
    _ = try await panel.service.activeServer()
    let owner = panel.service.owner
    _ = try await panel.service.snapshots.create(.init(server: .id(ID(1)), name: "s"), owner)
    _ = try await panel.service.backups.create(.init(server: .id(ID(1))), owner)
    _ = try await panel.service.sshKeys.create(
      .init(
        name: "k",
        publicKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl a@b"), owner)
    try await panel.service.settle()
    return panel
  }
}
