import Foundation
import TestSupport
import Testing
import Yams

@Suite("The life of servers from the command line, against the service that was built")
struct LifeTests {
  @Test("A server is made with a key from a file, found by any name it has, used, and deleted for good")
  func life() async throws {
    let service = try RunningService()
    defer { withExtendedLifetime(service) {} }
    let user = try service.user()
    let key = try await user.run(
      "/usr/bin/ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "me@laptop", "-f", user.path + "/key"])
    #expect(key.status == 0)
    let order = ["--plan", "NANO", "--os", "Debian 12", "--location", "us-w", "--ssh-key", user.path + "/key"]
    // The file beside is taken: what is private stays.
    let made = try await user.run(User.program, ["server", "create", "--name", "web-1"] + order + ["--wait"])
    #expect(made.status == 0 && made.errors == "The SSH key me@laptop (1) is registered.\n", "\(made.all)")
    #expect(made.output.hasPrefix("web-1 (1) is active.\naddress   127.") && !made.output.contains("password"))
    let json = try await user.run(
      User.program, ["server", "create", "--name", "web-2"] + order + ["--wait", "-o", "json"])
    // It is registered already.
    let status = try json.object["status"] as? String
    #expect(json.errors.isEmpty && status == "active", "\(json.all)")

    let uuid = try #require(try json.object["uuid"] as? String)
    for name in ["2", uuid, "web-2", "WEB-2"] {
      #expect(try await user.run("server", "show", name, "-o", "name").output == "web-2\n", "\(name)")
    }
    let ambiguous = try await user.run("server", "show", "web")
    #expect(
      ambiguous.status == 4
        && ambiguous.errors == "Error: There are 2 of \"web\": say which by its id. web-1 (1), web-2 (2)\n")
    let missing = try await user.run("server", "show", "db")
    #expect(missing.status == 3 && missing.errors == "Error: There is no server \"db\". There are: web-1, web-2.\n")

    func says(_ words: String..., status: Int32 = 0) async throws -> String {
      let result = try await user.run(User.program, words)
      #expect(result.status == status, "\(words): \(result.all)")
      return result.all
    }
    #expect(try await says("server", "stop", "1", "--wait") == "web-1 (1) is stopped.\n")
    #expect(try await says("server", "stop", "1", status: 4) == "Error: Server is not running.\n")
    #expect(try await says("server", "ssh", "1", status: 4) == "Error: web-1 (1) is stopped.\n")
    #expect(try await says("server", "start", "1", "--wait") == "web-1 (1) is active.\n")
    #expect(try await says("server", "reboot", "1", "--wait") == "web-1 (1) is active.\n")
    #expect(try await says("server", "power-off", "1", "--wait") == "web-1 (1) is stopped.\n")
    #expect(try await says("server", "resize", "1", "--plan", "standard", "--wait") == "web-1 (1) is stopped.\n")
    #expect(
      try await says("server", "resize", "1", "--plan", "huge", status: 4).hasPrefix(
        "Error: --plan (plan_id): There is no plan \"huge\"."))
    #expect(try await says("server", "rebuild", "1", "--yes", "--wait") == "web-1 (1) is active.\n")
    #expect(try await says("backup", "create", "1", "--wait") == "The backup 1 is completed.\n")
    #expect(try await says("snapshot", "create", "1", "--name", "before", "--wait") == "The snapshot 2 is completed.\n")
    #expect(try await says("snapshot", "restore", "before", "--yes", "--wait") == "web-1 (1) is active.\n")
    #expect(try await says("backup", "delete", "1", "--yes") == "The backup 1 is deleted.\n")
    #expect(try await says("server", "update", "web-1", "--name", "front") == "front (1) is changed.\n")
    #expect(
      try await says("server", "firewall", "add-rule", "front", "--protocol", "tcp", "--port", "22", "-o", "name") != ""
    )
    let enabled = try await user.run("server", "firewall", "enable", "front", "-o", "json").object
    #expect(enabled["enabled"] as? Bool == true && (enabled["rules"] as? [Any])?.count == 1)
    #expect(try await says("server", "console", "front").hasPrefix(service.url + "/console/"))
    let kinds = try await user.run("server", "history", "front", "-o", "json").list.compactMap { $0["kind"] as? String }
    #expect(
      kinds.starts(with: [
        "create", "stop", "start", "reboot", "hard_stop", "resize", "rebuild", "backup", "snapshot", "restore",
      ]), "\(kinds)")
    #expect(try await says("ssh-config").contains("Host front\n  HostName 127."))

    #expect(try await says("server", "delete", "front", status: 2).contains("say --yes"))
    func typed(_ answer: String) async throws -> User.Result {
      try await user.run("/usr/bin/script", ["-qec", "vpsctl server delete front", "/dev/null"], input: answer + "\n")
    }
    let wrong = try await typed("web-2")
    #expect(wrong.status == 4 && wrong.output.contains("nothing is changed"), "\(wrong.all)")
    let right = try await typed("front")
    #expect(right.status == 0 && right.output.contains("front (1) is deleted."), "\(right.all)")
    #expect(try await says("server", "list", "-o", "name") == "web-2\n")
  }

  @Test("All that is wrong with a create is told at once, with the field, and nothing is made")
  func wrongCreate() async throws {
    let service = try RunningService()
    defer { withExtendedLifetime(service) {} }
    let user = try service.user()
    let result = try await user.run(
      "server", "create", "--name", "not_right", "--plan", "huge", "--os", "3", "--location", "mars", "--ssh-key",
      "nobody",
      "--hostname", "-x-".replacing("-x-", with: "a..b"))
    #expect(result.status == 4)
    let lines = result.errors.split(separator: "\n")
    for (line, field) in zip(
      lines,
      ["--name (name)", "--plan (plan_id)", "--location (location)", "--hostname (hostname)", "--ssh-key (ssh_key_id)"])
    {
      #expect(line.hasPrefix("Error: \(field): "), "\(line)")
    }
    #expect(lines.count == 5, "\(result.errors)")
    #expect(lines[1].hasSuffix("There is no plan \"huge\". There are: standard, performance, nano."))
    #expect(try await user.run("server", "list", "-o", "name").output.isEmpty)
    #expect(try await user.run("ssh-key", "list", "-o", "name").output.isEmpty)
    let usage = try await user.run("server", "list", "--nmae", "x")
    #expect(usage.status == 2 && usage.errors.contains("Unknown option '--nmae'"), "\(usage.all)")
  }

  @Test(
    "Every list and every object is what the API says, as JSON, as YAML, as names, and as a table with the columns asked for"
  )
  func outputs() async throws {
    let service = try RunningService()
    defer { withExtendedLifetime(service) {} }
    let user = try service.user()
    let made = try await user.run(
      "server", "create", "--name", "web", "--plan", "nano", "--os", "3", "--location", "us-west", "--wait", "-o",
      "name")
    #expect(made.output == "web\n", "\(made.all)")
    for words in [["backup", "create", "web", "--wait"], ["snapshot", "create", "web", "--name", "s1", "--wait"]] {
      #expect(try await user.run(User.program, words).status == 0)
    }
    _ = try await user.run("token", "create", "--name", "ci", "--permission", "servers:read")
    let lists = [
      "server list": "/servers/", "backup list": "/backups/", "snapshot list": "/snapshots/",
      "ssh-key list": "/ssh-keys/",
      "token list": "/tokens/", "plan list": "/plans/", "os list": "/operating-systems/",
      "location list": "/locations/",
      "account ledger": "/account/ledger/", "server history web": "/servers/1/operations/",
    ]
    func wordsOf(_ line: String, _ more: String...) -> [String] { line.split(separator: " ").map(String.init) + more }
    for (line, path) in lists {
      var wanted: [String: Any]?
      var json: User.Result
      var yaml: User.Result
      // The last use of a token is written some seconds late.
      repeat {
        wanted = try await service.get(path, user) as? [String: Any]
        json = try await user.run(User.program, wordsOf(line, "-o", "json"))
        yaml = try await user.run(User.program, wordsOf(line, "-o", "yaml"))
      } while !same(try await service.get(path, user), wanted)
      #expect(same(try json.json, wanted?["results"]), "\(line): \(json.all)")
      #expect(same(try Yams.load(yaml: yaml.output), wanted?["results"]), "\(line): \(yaml.output)")
      let count = (wanted?["results"] as? [Any])?.count ?? -1
      let names = try await user.run(User.program, wordsOf(line, "-o", "name"))
      #expect(names.output.split(separator: "\n").count == count, "\(line)")
      let table = try await user.run(User.program, wordsOf(line))
      #expect(table.output.split(separator: "\n").count == count + 1 && table.errors.isEmpty, "\(line)")
      let ids = try await user.run(User.program, wordsOf(line, "--columns", "id", "--no-headers"))
      #expect(
        ids.output.split(separator: "\n").count == count && ids.output.allSatisfy { $0.isNumber || $0 == "\n" },
        "\(line)")
      for result in [json, yaml, names, table, ids] { #expect(result.status == 0 && !result.output.contains("\u{1B}")) }
    }
    let objects = [
      "backup show 1": "/backups/1/", "snapshot show s1": "/snapshots/2/", "plan show nano": "/plans/3/",
      "os show debian-12": "/operating-systems/3/", "location show us-west": "/locations/us-west/",
      "token show ci": "/tokens/2/",
      "account show": "/account/me/", "server firewall show web": "/servers/1/firewall/",
      "account usage": "/account/usage/",
      "api GET /plans/": "/plans/",
    ]
    for (line, path) in objects {
      var wanted: Any
      var result: User.Result
      repeat {
        wanted = try await service.get(path, user)
        result = try await user.run(User.program, wordsOf(line, "-o", "json"))
      } while !same(try await service.get(path, user), wanted)
      let json = try result.json
      #expect(same(json, wanted), "\(line): \(result.all)")
      let table = try await user.run(User.program, wordsOf(line))
      #expect(table.status == 0 && !table.output.isEmpty, "\(line)")
    }
  }

  @Test(
    "A file says what servers there are: a dry run changes nothing, a second run finds nothing to do, and only --prune deletes"
  )
  func apply() async throws {
    let service = try RunningService()
    defer { withExtendedLifetime(service) {} }
    let user = try service.user()
    _ = try await user.run(
      "server", "create", "--name", "old", "--plan", "nano", "--os", "3", "--location", "us-west", "--wait")
    let file = try user.write(
      """
      servers:
        - name: web
          plan: nano
          os: debian-12
          location: us-west
          hostname: web.example.com
          firewall:
            enabled: true
            rules:
              - {direction: in, protocol: tcp, port: 22}
      """, to: "servers.yaml")
    let dry = try await user.run("apply", "-f", file, "--dry-run", "--prune")
    #expect(
      dry.status == 0 && dry.errors == "+ web: nano, debian-12, at us-west\n- old (1), with its disk and its copies\n",
      "\(dry.all)")
    #expect(try await user.run("server", "list", "-o", "name").output == "old\n")
    let refused = try await user.run("apply", "-f", file, "--prune")
    #expect(refused.status == 2 && refused.errors.contains("say --yes"))
    let made = try await user.run("apply", "-f", file, "--wait", "-o", "name")
    #expect(made.status == 0 && made.output == "web\n", "\(made.all)")
    let again = try await user.run("apply", "-f", file, "--wait")
    #expect(again.errors == "All is as the file says.\n")
    let changed = try String(contentsOfFile: file, encoding: .utf8).replacing("nano", with: "standard")
      .replacing("web.example", with: "www.example")
    _ = try user.write(changed, to: "servers.yaml")
    let change = try await user.run(
      "apply", "-f", file, "--wait", "--prune", "--yes", "--columns", "plan", "--no-headers")
    #expect(change.status == 0 && change.output == "Standard VPS\n", "\(change.all)")
    #expect(try await user.run("server", "list", "-o", "name").output == "web\n")
    #expect(
      try await user.run("server", "show", "web", "--columns", "hostname", "--no-headers").output == "www.example.com\n"
    )

    let wrong = try user.write(
      "servers:\n  - {name: web, plan: nano, os: 5, colour: red}\nhosts: []\n", to: "wrong.yaml")
    let told = try await user.run("apply", "-f", wrong)
    #expect(told.status == 4)
    for place in ["hosts: ", "servers.0.colour: ", "servers.0.location: "] {
      #expect(told.errors.contains("Error: \(place)"), "\(told.errors)")
    }
  }
}
