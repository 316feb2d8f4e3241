import Core
import Engine
import HTTPTypes
import SimulatedDriver
import TestSupport
import Testing

@testable import Panel

@Suite("A customer's way through the panel")
struct PageTests {
  private static let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl ann@home"

  @Test("A first server: sign in, paste a key, create, see it become active, stop it, and delete it by its name")
  func firstServer() async throws {
    let panel = try await TestPanel.make()
    let browser = try await panel.signedIn()
    #expect(try await browser.get("/servers").text.contains("You have no servers yet"))
    let form = try await browser.get("/servers/create")
    for text in ["Nano VPS", "Debian 12", "US West", "Balance afterwards: 99.995 USD"] {
      #expect(form.text.contains(text))
    }
    let created = try await browser.submit(
      "/servers/create", on: form,
      [
        "plan": "3", "system": "3", "location": "us-west", "name": "first", "ssh_key": "new",
        "public_key": Self.key,
      ])
    let path = try #require(created.location)
    #expect(created.status == 303)
    #expect(try await browser.get(path).text.contains("provisioning"))
    try await panel.service.settle()
    let server = try await browser.get(path)
    #expect(server.text.contains("<span>active</span>") && server.text.contains("root@127.80."))
    #expect(try await browser.get("/ssh-keys").text.contains("ann@home"))
    for (guests, says) in [([22, 80], "root@198.51.100.2"), ([80], "Not over SSH now")] {
      panel.service.driver.configure { options in
        options.forwarding = PortForwarding(
          address: IPv4Address("198.51.100.2"), range: 20_000...39_999, guestPorts: guests,
          servers: [IPv4Address(number: 0x7F50_0001)...IPv4Address(number: 0x7F50_0FFF)])
      }
      let page = try await browser.get(path).text
      #expect(page.contains(says) && !page.contains("root@127.80."), "\(page)")
    }
    panel.service.driver.configure { $0.forwarding = nil }
    #expect(try await browser.get("/servers").text.contains(">first</a>"))

    #expect(try await browser.submit(path + "/stop", on: server).location == path)
    try await panel.service.settle()
    let stopped = try await browser.get(path)
    #expect(stopped.text.contains("<span>stopped</span>") && stopped.actions.contains(path + "/start"))
    // A page that was open meanwhile.
    #expect(server.text.contains("data-path=\"\(path)\""))
    let refused = try await browser.post(
      path + "/stop", stopped.hiddenFields(of: path + "/start").filter { $0.0 == "proof" })
    #expect(refused.status == 400 && refused.text.contains("Server is not running."))
    #expect(refused.text.contains("data-path=\"\(path)\""), "There it can be asked for again.")

    let settings = try await browser.get(path + "/settings")
    let wrong = try await browser.submit(path + "/delete", on: settings, ["confirmation": "second"])
    #expect(wrong.status == 400 && wrong.text.contains("This is not its name."))
    #expect(try await browser.submit(path + "/delete", on: wrong, ["confirmation": "first"]).location == "/servers")
    #expect(try await browser.get(path).status == 404)
    try await panel.service.settle()
    #expect(try await panel.service.contradictionsAtRest() == [])
  }

  @Test("A double click makes one server, and both are answered alike, with the password too")
  func doubleClick() async throws {
    let panel = try await TestPanel.make()
    let browser = try await panel.signedIn()
    let form = try await browser.get("/servers/create")
    let fields: KeyValuePairs = [
      "plan": "3", "system": "3", "location": "us-west", "name": "twice", "ssh_key": "password",
    ]
    let first = try await browser.submit("/servers/create", on: form, fields)
    let second = try await browser.submit("/servers/create", on: form, fields)
    #expect(first.status == 200 && first.text.contains("is being created") && first.text == second.text)
    #expect(try await panel.service.servers.list(.init(), panel.service.owner).totalCount == 1)
    let password = try #require(first.text.firstMatch(of: /class="secret">([^<]+)</)?.output.1)
    #expect(password.count == 20)
    #expect(try await !browser.get("/servers/1").text.contains(password))
  }

  @Test(
    "A server can be ordered with its firewall, whose rules are checked with all the rest, and stay as they were typed")
  func firewallOfANewServer() async throws {
    let panel = try await TestPanel.make()
    let browser = try await panel.signedIn()
    let form = try await browser.get("/servers/create")
    #expect(form.text.contains("<details"))
    let refused = try await browser.submit(
      "/servers/create", on: form,
      [
        "plan": "3", "system": "3", "location": "us-west", "name": "not a name", "ssh_key": "password", "enabled": "on",
        "direction": "in", "protocol": "tcp", "port": "70000", "networks": "", "description": "office",
      ])
    #expect(refused.status == 400 && refused.text.contains("id=\"e-name\"") && refused.text.contains("Rule 1:"))
    #expect(refused.text.contains("value=\"70000\"") && refused.text.contains("<details open"))
    let created = try await browser.submit(
      "/servers/create", on: refused,
      [
        "plan": "3", "system": "3", "location": "us-west", "name": "walled", "ssh_key": "password", "enabled": "on",
        "direction": "in", "protocol": "tcp", "port": "22", "networks": "192.0.2.0/24", "description": "office",
        "direction": "in", "protocol": "", "port": "", "networks": "", "description": "",
      ])
    #expect(created.status == 200)
    let stored = try #require(try await panel.service.store.firewall(of: ID(1), of: panel.service.owner.accountID))
    #expect(stored.firewall.isEnabled && stored.firewall.rules.map(\.description) == ["office"])
  }

  @Test("What is wrong stands at its field, all of it at once, and what was typed stays")
  func errors() async throws {
    let panel = try await TestPanel.make()
    let browser = try await panel.signedIn()
    let form = try await browser.get("/servers/create")
    let reply = try await browser.submit(
      "/servers/create", on: form,
      [
        "plan": "3", "system": "3", "location": "us-west", "name": "not a name", "hostname": "1.2.3.4", "backups": "on",
        "ssh_key": "new", "public_key": Self.key,
      ])
    #expect(reply.status == 400)
    #expect(reply.text.contains("id=\"e-name\"") && reply.text.contains("id=\"e-hostname\""))
    #expect(reply.text.contains("value=\"not a name\"") && reply.text.contains("ann@home"))
    #expect(reply.text.contains("Something is wrong below."))
    // The form that is shown again can be sent at once.
    let mended = try await browser.submit(
      "/servers/create", on: reply,
      ["plan": "3", "system": "3", "location": "us-west", "name": "a-name", "ssh_key": "1"])
    #expect(mended.status == 303)
  }

  @Test("Whoever has no room for more keys of repeated requests can still stop what left them there")
  func fullOfKeys() async throws {
    let panel = try await TestPanel.make()
    var limits = Idempotency.Limits()
    limits.requests = 1
    let crowded = TestPanel(panel.service, idempotency: limits)
    let browser = try await crowded.signedIn()
    for name in ["a", "b"] {
      let reply = try await browser.submit(
        "/tokens", on: try await browser.get("/tokens"), ["name": name, "permissions": "*:*"])
      #expect(reply.status == 200, "\(reply.text)")
    }
  }

  @Test("Credit that does not suffice is said, and nothing is made")
  func noCredit() async throws {
    let panel = TestPanel(try await TestService(openingCredit: Money(microunits: 1)))
    let browser = try await panel.signedIn()
    let form = try await browser.get("/servers/create")
    let reply = try await browser.submit(
      "/servers/create", on: form,
      ["plan": "3", "system": "3", "location": "us-west", "name": "a", "ssh_key": "password"])
    #expect(reply.status == 400 && reply.text.contains("Insufficient credits"))
    #expect(try await panel.service.servers.list(.init(), panel.service.owner).totalCount == 0)
  }

  @Test("Snapshots and backups: made, restored after a question, deleted after a question")
  func copies() async throws {
    let panel = try await TestPanel.make()
    let browser = try await panel.signedIn()
    _ = try await panel.service.activeServer()
    let page = try await browser.get("/servers/1/copies")
    #expect(try await browser.submit("/servers/1/snapshots", on: page, ["name": "not a name"]).status == 400)
    #expect(try await browser.submit("/servers/1/snapshots", on: page, ["name": "before"]).status == 303)
    #expect(try await browser.submit("/servers/1/backups", on: page).status == 303)
    try await panel.service.settle()
    let list = try await browser.get("/servers/1/copies")
    #expect(list.text.contains("before") && list.text.contains("completed"))
    for path in list.links.filter({ $0.hasSuffix("/restore") || $0.hasSuffix("/delete") }).sorted(by: >) {
      let question = try await browser.get(path)
      #expect(question.status == 200 && question.actions.contains(path), "\(path)")
      #expect(try await browser.submit(path, on: question).status == 303, "\(path)")
      try await panel.service.settle()
    }
    #expect(try await browser.get("/servers/1/copies").links.contains { $0.hasSuffix("/restore") } == false)
    #expect(try await browser.get("/servers/1/history").text.contains("restore"))
    #expect(try await panel.service.contradictionsAtRest() == [])
  }

  @Test("Another location, where there is one to which it can go")
  func move() async throws {
    let alone = try await TestPanel.make()
    _ = try await alone.service.activeServer()
    let nowhere = try await alone.signedIn().get("/servers/1/move")
    #expect(nowhere.text.contains("There is no other location") && !nowhere.text.contains("name=\"location\""))
    let panel = TestPanel(try await TestService(hosts: TestService.threeHosts))
    let browser = try await panel.signedIn()
    _ = try await panel.service.activeServer()
    let form = try await browser.get("/servers/1/move")
    let wrong = try await browser.submit("/servers/1/move", on: form, ["location": "mars"])
    #expect(wrong.status == 400 && wrong.text.contains("is not a valid choice."))
    #expect(try await browser.submit("/servers/1/move", on: form, ["location": "us-east"]).status == 303)
    try await panel.service.settle()
    #expect(try await panel.service.store.server(ID(1))?.location == "us-east")
    #expect(try await browser.get("/servers/1/history").text.contains("us-west → us-east, 127.80.0.1 → 127.80.0.2"))
  }

  @Test("Another plan, another system, other names and a firewall")
  func changes() async throws {
    let panel = try await TestPanel.make()
    let browser = try await panel.signedIn()
    _ = try await panel.service.activeServer()
    let resize = try await browser.get("/servers/1/resize")
    #expect(try await browser.submit("/servers/1/resize", on: resize, ["plan": "1"]).status == 303)
    try await panel.service.settle()
    #expect(try await browser.get("/servers/1").text.contains("Standard VPS"))
    let rebuild = try await browser.get("/servers/1/rebuild")
    let hasty = try await browser.submit("/servers/1/rebuild", on: rebuild, ["system": "3", "ssh_key": ""])
    #expect(hasty.status == 400 && hasty.text.contains("id=\"e-understood\""))
    let rebuilt = try await browser.submit(
      "/servers/1/rebuild", on: hasty, ["system": "3", "ssh_key": "", "understood": "on"])
    #expect(rebuilt.status == 200 && rebuilt.text.contains("is being rebuilt"))
    try await panel.service.settle()
    let settings = try await browser.get("/servers/1/settings")
    let renamed = try await browser.submit(
      "/servers/1/settings", on: settings, ["name": "web-2", "hostname": "web.example.com", "backups": "on"])
    #expect(renamed.status == 303)
    let after = try await browser.get("/servers/1/settings")
    #expect(after.text.contains("value=\"web-2\"") && after.text.contains("value=\"on\" checked"))

    let firewall = try await browser.get("/servers/1/firewall")
    let secondTab = try await browser.get("/servers/1/firewall")
    let rule: KeyValuePairs = [
      "enabled": "on", "direction": "in", "protocol": "tcp", "port": "22", "networks": "192.0.2.0/24, 2001:db8::/32",
      "description": "office",
    ]
    #expect(try await browser.submit("/servers/1/firewall", on: firewall, rule).status == 303)
    let stored = try #require(try await panel.service.store.firewall(of: ID(1), of: panel.service.owner.accountID))
    #expect(stored.firewall.isEnabled && stored.firewall.rules.map(\.networks.count) == [2])
    // Two tabs: the second one does not undo what the first one has saved.
    #expect(try await browser.submit("/servers/1/firewall", on: secondTab).text.contains("changed meanwhile"))
    #expect(
      try await panel.service.store.firewall(of: ID(1), of: panel.service.owner.accountID)?.firewall == stored.firewall)
    let wrong = try await browser.submit(
      "/servers/1/firewall", on: try await browser.get("/servers/1/firewall"),
      ["direction": "in", "protocol": "tcp", "port": "0", "networks": "", "description": ""])
    #expect(wrong.status == 400 && wrong.text.contains("Rule 1:"))
    try await panel.service.settle()
    #expect(try await panel.service.contradictionsAtRest() == [])
  }

  @Test("Labels, protection, user data, the rescue system and another password")
  func options() async throws {
    let panel = try await TestPanel.make()
    let browser = try await panel.signedIn()
    let form = try await browser.get("/servers/create")
    let wrong = try await browser.submit(
      "/servers/create", on: form,
      [
        "plan": "3", "system": "3", "location": "us-west", "name": "a", "ssh_key": "password", "labels": "not a, =x",
      ])
    #expect(wrong.status == 400 && wrong.text.contains("id=\"e-labels\""))
    let created = try await browser.submit(
      "/servers/create", on: wrong,
      [
        "plan": "3", "system": "3", "location": "us-west", "name": "a", "ssh_key": "password",
        "labels": "env=prod, team", "protection": "on", "user_data": "#!/bin/sh\r\necho hi\r\n",
      ])
    #expect(created.status == 200, "\(created.text)")
    try await panel.service.settle()
    let overview = try await browser.get("/servers/1")
    #expect(overview.text.contains("env=prod, team"))
    let settings = try await browser.get("/servers/1/settings")
    let refused = try await browser.submit("/servers/1/delete", on: settings, ["confirmation": "a"])
    #expect(refused.status == 400 && refused.text.contains("protected from deletion"))

    let reset = try await browser.get("/servers/1/reset-password")
    let password = try await browser.submit("/servers/1/reset-password", on: reset)
    #expect(password.status == 200 && password.text.contains("class=\"secret\""), "\(password.text)")
    let rescue = try await browser.get("/servers/1/rescue")
    let entered = try await browser.submit("/servers/1/rescue", on: rescue, ["ssh_key": "password"])
    #expect(entered.status == 200 && entered.text.contains("class=\"secret\""), "\(entered.text)")
    try await panel.service.settle()
    #expect(try await browser.get("/servers/1").text.contains("The rescue system runs"))
    let leave = try await browser.get("/servers/1/leave-rescue")
    #expect(try await browser.submit("/servers/1/leave-rescue", on: leave).status == 303)
    try await panel.service.settle()
    #expect(try await !browser.get("/servers/1").text.contains("The rescue system runs"))

    let unprotected = try await browser.submit(
      "/servers/1/settings", on: try await browser.get("/servers/1/settings"), ["name": "a", "hostname": "a"])
    #expect(unprotected.status == 303)
    #expect(try await !browser.get("/servers/1").text.contains("env=prod"))
    #expect(try await panel.service.contradictionsAtRest() == [])
  }

  @Test("A list is searched, filtered, sorted and turned over")
  func list() async throws {
    let panel = try await TestPanel.make()
    let browser = try await panel.signedIn()
    for name in ["db-1", "web-1", "web-2", "a-b"] {
      let draft = ServerDraft(name: name, planID: 3, operatingSystemID: 3, location: "us-west")
      _ = try await panel.service.servers.create(draft, panel.service.owner)
      panel.service.clock.advance(by: .seconds(1))
    }
    try await panel.service.settle()
    func names(_ query: String) async throws -> [String] {
      try await browser.get("/servers" + query).text.matches(of: /class="name"[^>]*>([^<]+)</).map {
        String($0.output.1)
      }
    }
    #expect(try await names("") == ["a-b", "db-1", "web-1", "web-2"])
    #expect(try await names("?sort=-name") == ["web-2", "web-1", "db-1", "a-b"])
    #expect(try await names("?search=WEB") == ["web-1", "web-2"])
    for part in ["%25", "_", "!"] { #expect(try await names("?search=\(part)").isEmpty, "\(part)") }
    #expect(try await names("?status=stopped").isEmpty)
    #expect(try await names("?status=active&sort=-created").first == "a-b")
    for query in [
      "?page=2", "?page=0", "?page=x", "?sort=%00", "?status=x", "?search=a%00",
      "?search=" + String(repeating: "x", count: 5000),
    ] {
      let status = try await browser.get("/servers" + query).status
      #expect(status == 200 || query == "?page=2" && status == 404, "\(query)")
    }
  }

  @Test("The ledger and the month's costs are there, and what is left is told")
  func billing() async throws {
    let panel = try await TestPanel.make()
    let browser = try await panel.signedIn()
    _ = try await panel.service.activeServer()
    let page = try await browser.get("/billing")
    for text in ["99.995 USD", "0.005 USD an hour", "833 days", "set aside", "Nano VPS"] {
      #expect(page.text.contains(text), "\(text)")
    }
    #expect(try await browser.get("/billing?month=2024-12").text.contains("Nothing was charged"))
  }

  @Test("A console's ticket goes to the browser in a place that is in no request")
  func console() async throws {
    let panel = try await TestPanel.make()
    let browser = try await panel.signedIn()
    _ = try await panel.service.activeServer()
    let page = try await browser.get("/servers/1")
    let reply = try await browser.submit("/servers/1/console", on: page)
    #expect(reply.location?.hasPrefix("/console/#ticket=") == true)
  }
}
