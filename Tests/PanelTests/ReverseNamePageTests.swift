import Core
import Engine
import HTTPTypes
import TestSupport
import Testing

@testable import Panel

@Suite("What addresses are called, in the panel")
struct ReverseNamePageTests {
  private static let path = "/servers/1/rdns"

  private func furnished() async throws -> (TestPanel, Browser) {
    let panel = TestPanel(try await TestService(addressPool6: IPv6Pool("2001:db8:10::/56")))
    _ = try await panel.service.activeServer()
    return (panel, try await panel.signedIn())
  }

  @Test("The server's page tells the names and leads to where they are changed, and taken back")
  func life() async throws {
    let (panel, browser) = try await furnished()
    let overview = try await browser.get("/servers/1")
    for name in ["127-80-0-1", "2001-db8-10-1-0-0-0-1"] { #expect(overview.text.contains("\(name).vps.example.com")) }
    #expect(overview.links.contains(Self.path))
    let page = try await browser.get(Self.path)
    #expect(page.text.contains("127-80-0-1.vps.example.com") && page.actions.contains(Self.path))
    #expect(!page.actions.contains(Self.path + "/default"), "None has a name of its customer's.")
    let set = try await browser.submit(
      Self.path, on: page, ["ip_address": "2001:db8:10:1::1", "ptr": " Mail.Example.com "])
    #expect(set.status == 303 && set.location == Self.path)
    let changed = try await browser.get(Self.path)
    #expect(changed.text.contains("mail.example.com") && !changed.text.contains("2001-db8-10-1-0-0-0-1"))
    #expect(try await browser.get("/servers/1").text.contains("mail.example.com"))
    await panel.service.nameKeeper.pollOnce()
    #expect(panel.service.zones.name(of: "2001:db8:10:1::1") == "mail.example.com")
    let taken = try await browser.submit(Self.path + "/default", on: changed)
    #expect(taken.status == 303 && taken.location == Self.path)
    #expect(try await browser.get(Self.path).text.contains("2001-db8-10-1-0-0-0-1.vps.example.com"))
  }

  @Test("Any address of the server's network can have a name, and has none once that is taken back")
  func inNetwork() async throws {
    let (_, browser) = try await furnished()
    let page = try await browser.get(Self.path)
    #expect(page.text.contains("any other address of 2001:db8:10:1::/64"))
    let set = try await browser.submit(
      Self.path, on: page, ["ip_address": " 2001:DB8:10:1::25 ", "ptr": "mx.example.com"])
    #expect(set.status == 303)
    let changed = try await browser.get(Self.path)
    #expect(changed.text.contains("2001:db8:10:1::25") && changed.text.contains("mx.example.com"))
    let outside = try await browser.submit(
      Self.path, on: changed, ["ip_address": "2001:db8:10:2::1", "ptr": "mx.example.com"])
    #expect(outside.status == 400 && outside.text.contains("id=\"e-ip_address\">This is no address of the server.<"))
    #expect(try await browser.submit(Self.path + "/default", on: changed).status == 303)
    #expect(try await !browser.get(Self.path).text.contains("2001:db8:10:1::25"))
  }

  @Test("What is wrong stands at its field, with what was typed, in the reader's language, and changes nothing")
  func wrong() async throws {
    let (_, browser) = try await furnished()
    func send(_ fields: KeyValuePairs<String, String>) async throws -> Browser.Reply {
      try await browser.submit(Self.path, on: try await browser.get(Self.path), fields)
    }
    let empty = try await send(["ip_address": "127.80.0.1", "ptr": ""])
    #expect(empty.status == 400 && empty.text.contains("id=\"e-ptr\">This field is required.<"))
    let name = try await send(["ip_address": "127.80.0.1", "ptr": "not\"><a name"])
    #expect(name.status == 400 && name.text.contains("id=\"e-ptr\">Enter a whole domain name"))
    #expect(name.text.contains("value=\"not&quot;&gt;&lt;a name\""), "\(name.text)")
    let address = try await send(["ip_address": "127.80.0.2", "ptr": "web.example.com"])
    #expect(address.status == 400 && address.text.contains("id=\"e-ip_address\">This is no address of the server.<"))
    browser.headers[.acceptLanguage] = "bg"
    let both = try await send(["ip_address": "127.80.0.2", "ptr": "web"])
    #expect(both.text.contains("Това не е адрес на сървъра.") && both.text.contains("Въведете цял домейн"))
    let page = try await browser.get(Self.path)
    #expect(page.text.contains("127-80-0-1.vps") && page.text.contains("Обратен DNS"))
  }

  @Test("Where names must lead back, that is told at the field; one that cannot be looked up is for later")
  func forward() async throws {
    let service = try await TestService()
    let panel = TestPanel(
      service,
      reverseNames: ReverseNames(
        store: service.store, namings: TestService.namings(service.zones, lookup: service.zones), clock: service.clock))
    _ = try await service.activeServer()
    let browser = try await panel.signedIn()
    browser.headers[.acceptLanguage] = "bg"
    let page = try await browser.get(Self.path)
    let fields: KeyValuePairs = ["ip_address": "127.80.0.1", "ptr": "web.example.com"]
    let refused = try await browser.submit(Self.path, on: page, fields)
    #expect(
      refused.status == 400 && refused.text.contains("Името трябва да води обратно към 127.80.0.1"), "\(refused.text)")
    service.zones.trouble = .away
    let later = try await browser.submit(Self.path, on: refused, fields)
    #expect(later.text.contains("Сега не може да се разбере накъде води името."), "\(later.text)")
  }

  @Test("Where there is no reverse DNS, nothing is shown of it, and its page is not there")
  func none() async throws {
    let panel = TestPanel(try await TestService(hosts: TestService.threeHosts))
    _ = try await panel.service.servers.create(panel.service.draft(location: "us-east"), panel.service.owner)
    try await panel.service.settle()
    let browser = try await panel.signedIn()
    let overview = try await browser.get("/servers/1")
    #expect(overview.text.contains("127.80.0.1") && !overview.text.contains("Reverse DNS"))
    #expect(!overview.links.contains(Self.path))
    for reply in [
      try await browser.get(Self.path),
      try await browser.post(
        Self.path, overview.hiddenFields(of: "/servers/1/reboot") + [("ip_address", "127.80.0.1"), ("ptr", "a.b")]),
    ] {
      #expect(reply.status == 404, "\(reply.text)")
    }
  }

  @Test("A server that is being made has no address yet, and its page says so")
  func provisioning() async throws {
    let panel = try await TestPanel.make()
    _ = try await panel.service.servers.create(panel.service.draft(), panel.service.owner)
    let browser = try await panel.signedIn()
    let page = try await browser.get(Self.path)
    #expect(page.status == 200 && page.text.contains("None yet.") && !page.actions.contains(Self.path))
    #expect(try await !browser.get("/servers/1").text.contains("127-80-0-1"))
  }
}
