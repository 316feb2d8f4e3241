import Foundation
import TestSupport
import Testing

@Suite("What commands print as JSON is what docs/openapi.yaml says")
struct SchemaTests {
  /// Whose JSON is not a reply of the service.
  private static let others: Set<String> = [
    // Of vpsctl itself.
    "version", "reference", "completion", "context create", "context use", "context list", "context delete",
    "ssh-config",
    // The document says of the stream that it is one; EventTests of the service hold what is in it.
    "events",
    // They become another program.
    "server ssh", "server scp",
    // They print nothing where something is gone.
    "server delete", "backup delete", "snapshot delete", "ssh-key delete", "token delete",
  ]

  /// Commands in an order in which each has something to do, and the reply that each prints; `[]` is the elements of a list.
  static let commands: [(command: String, rest: String, reply: String)] = [
    ("ssh-key create", "KEY.pub --name me", "POST /ssh-keys/"),
    ("server create", "--name web --plan nano --os debian-12 --location us-west --wait", "POST /servers/"),
    ("server create", "--name db --plan nano --os 3 --location us-west --wait", "POST /servers/"),
    ("server create", "--name new --plan nano --os 3 --location us-west --no-wait", "POST /servers/"),
    ("server list", "", "GET /servers/ []"),
    ("server show", "web", "GET /servers/{id}/"),
    ("server update", "web --hostname web.example.com", "PATCH /servers/{id}/"),
    ("server stop", "web --wait", "POST /servers/{id}/stop/"),
    ("server start", "web --no-wait", "POST /servers/{id}/start/"),
    ("server reboot", "db --wait", "POST /servers/{id}/reboot/"),
    ("server power-off", "db --wait", "POST /servers/{id}/power/"),
    ("server resize", "db --plan standard --wait", "POST /servers/{id}/resize/"),
    ("server move", "db --location us-east --wait", "POST /servers/{id}/move/"),
    ("server rebuild", "db --yes --wait", "POST /servers/{id}/rebuild/"),
    ("server console", "web", "POST /servers/{id}/console/"),
    ("server history", "web", "GET /servers/{id}/operations/ []"),
    ("server metrics", "web", "GET /servers/{id}/metrics/"),
    ("server label", "web env=prod", "PATCH /servers/{id}/"),
    ("server reset-password", "web", "POST /servers/{id}/reset-password/"),
    ("server rescue", "web --wait", "POST /servers/{id}/rescue/"),
    ("server rescue", "web --off --wait", "DELETE /servers/{id}/rescue/"),
    ("server firewall add-rule", "web --protocol tcp --port 22", "PUT /servers/{id}/firewall/"),
    ("server firewall enable", "web", "PUT /servers/{id}/firewall/"),
    ("server firewall show", "web", "GET /servers/{id}/firewall/"),
    ("server firewall disable", "web", "PUT /servers/{id}/firewall/"),
    ("server firewall delete-rule", "web 1", "PUT /servers/{id}/firewall/"),
    ("server rdns list", "web", "GET /servers/{id}/rdns/ []"),
    ("server rdns set", "web --hostname web.example.com", "PUT /servers/{id}/rdns/"),
    ("backup create", "web --wait", "POST /backups/"),
    ("backup list", "", "GET /backups/ []"),
    ("backup show", "1", "GET /backups/{id}/"),
    ("backup restore", "1 --yes --wait", "POST /backups/{id}/restore/"),
    ("snapshot create", "web --name s1 --wait", "POST /snapshots/"),
    ("snapshot list", "", "GET /snapshots/ []"),
    ("snapshot show", "s1", "GET /snapshots/{id}/"),
    ("snapshot restore", "s1 --yes --wait", "POST /snapshots/{id}/restore/"),
    ("ssh-key list", "", "GET /ssh-keys/ []"),
    ("ssh-key show", "me", "GET /ssh-keys/{id}/"),
    ("token create", "--name ci --permission servers:read", "POST /tokens/"),
    ("token list", "", "GET /tokens/ []"),
    ("token show", "ci", "GET /tokens/{id}/"),
    ("plan list", "", "GET /plans/ []"),
    ("plan show", "nano", "GET /plans/{id}/"),
    ("os list", "", "GET /operating-systems/ []"),
    ("os show", "debian-12", "GET /operating-systems/{id}/"),
    ("location list", "", "GET /locations/ []"),
    ("location show", "us-west", "GET /locations/{id}/"),
    ("account show", "", "GET /account/me/"),
    ("account ledger", "", "GET /account/ledger/ []"),
    ("account usage", "", "GET /account/usage/"),
    ("api", "GET /servers/", "GET /servers/"),
    ("apply", "-f FILE --wait", "GET /servers/ []"),
  ]

  @Test("Every command that prints a reply of the service prints one that fits its schema")
  func schemas() async throws {
    let service = try RunningService(namesAddresses: true, hasTwoHosts: true)
    defer { withExtendedLifetime(service) {} }
    let user = try service.user()
    let key = try await user.run("/usr/bin/ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", user.path + "/key"])
    #expect(key.status == 0)
    let file = try user.write(
      "servers: [{name: web, plan: nano, os: debian-12, location: us-west, backups: true}]", to: "servers.yaml")
    let document = try APIDescription()
    for (command, rest, reply) in Self.commands {
      let words = "\(command) \(rest)".replacing("KEY", with: user.path + "/key").replacing("FILE", with: file)
        .split(separator: " ").map(String.init)
      let result = try await user.run(User.program, words + ["-o", "json"])
      guard result.status == 0 else {
        Issue.record("\(command): \(result.all)")
        continue
      }
      let isList = reply.hasSuffix(" []")
      let operation = try #require(document.operation(isList ? String(reply.dropLast(3)) : reply), "\(reply)")
      let status = try #require(operation.statuses.first { (200..<300).contains($0) })
      let whole = try #require(try document.replySchema(operation, status), "\(reply)")
      let objects = isList ? try #require(try result.json as? [Any], "\(command)") : [try result.json]
      #expect(!objects.isEmpty, "\(command)")
      let schema = isList ? try document.elements(of: whole) : whole
      for object in objects {
        let wrong = try document.check(object, schema).wrong
        #expect(wrong.isEmpty, "\(command): \(wrong)")
      }
    }
  }

  @Test("No command is left out")
  func complete() async throws {
    struct Help: Decodable {
      struct Command: Decodable {
        let commandName: String
        let subcommands: [Command]?

        func leaves(below path: [String]) -> [String] {
          guard let subcommands, !subcommands.isEmpty else { return [path.joined(separator: " ")] }
          return subcommands.filter { $0.commandName != "help" }.flatMap { $0.leaves(below: path + [$0.commandName]) }
        }
      }

      let command: Command
    }
    let help = try await User().run("--experimental-dump-help").output
    let all = Set(try JSONDecoder().decode(Help.self, from: Data(help.utf8)).command.leaves(below: []))
    let known = Self.others.union(Self.commands.map(\.command))
    #expect(all == known, "\(all.symmetricDifference(known))")
  }
}
