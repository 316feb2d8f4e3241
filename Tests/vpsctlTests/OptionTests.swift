import Foundation
import TestSupport
import Testing

@Suite("What customers ask of a server, from the command line")
struct OptionTests {
  @Test("Labels, protection, user data, the rescue system and another password, each by its command")
  func options() async throws {
    let service = try RunningService()
    defer { withExtendedLifetime(service) {} }
    let user = try service.user()
    func says(_ words: String..., status: Int32 = 0) async throws -> String {
      let result = try await user.run(User.program, words)
      #expect(result.status == status, "\(words): \(result.all)")
      return result.all
    }
    let script = user.path + "/boot.sh"
    try "#!/bin/sh\nexit 0\n".write(toFile: script, atomically: true, encoding: .utf8)
    let made = try await user.run(
      "server", "create", "--name", "web", "--plan", "nano", "--os", "debian-12", "--location", "us-west", "--label",
      "env=prod", "--label", "tier=web", "--user-data", script, "--delete-protection", "--wait", "-o", "json"
    ).object
    #expect(made["labels"] as? [String: String] == ["env": "prod", "tier": "web"])
    #expect(made["delete_protection"] as? Bool == true)
    #expect(try await says("server", "list", "--selector", "env=prod,!old", "-o", "name") == "web\n")
    #expect(try await says("server", "list", "--selector", "env!=prod", "-o", "name") == "")
    #expect(try await says("server", "list", "--selector", "=", status: 4).contains("--selector"))
    #expect(
      try await says("server", "label", "web", "env=dev", "--remove", "tier") == "The labels of web (1) are changed.\n")
    #expect(
      try await user.run("server", "show", "web", "-o", "json").object["labels"] as? [String: String] == ["env": "dev"])
    #expect(try await says("server", "label", "web", "a b=c", status: 4).contains("Enter a valid key"))
    #expect(
      try await says("server", "delete", "web", "--yes", status: 4) == "Error: Server is protected from deletion.\n")
    let missing = try await says("server", "rebuild", "web", "--user-data", "/no/such", "--yes", status: 3)
    #expect(missing.contains("--user-data (user_data)"))
    #expect(try await says("server", "reset-password", "web").hasPrefix("password  "))
    let rescue = try await says("server", "rescue", "web", "--wait")
    #expect(rescue.hasPrefix("password  ") && rescue.hasSuffix("web (1) is active.\n"), "\(rescue)")
    #expect(try await says("server", "rescue", "web", status: 4).contains("in the rescue system already"))
    #expect(try await says("server", "rescue", "web", "--off", "--wait") == "web (1) is active.\n")
    #expect(try await says("server", "update", "web", "--no-delete-protection") == "web (1) is changed.\n")
    #expect(try await says("server", "delete", "web", "--yes").contains("is deleted"))
  }

  @Test("A file says which labels a server has, and what the first boot of a new one is to do")
  func apply() async throws {
    let service = try RunningService()
    defer { withExtendedLifetime(service) {} }
    let user = try service.user()
    let file = user.path + "/servers.yaml"
    func apply(_ labels: String) async throws -> User.Result {
      let text = """
        servers:
        - name: web
          plan: nano
          os: debian-12
          location: us-west
          labels: \(labels)
          user_data: |
            #!/bin/sh
            exit 0
        """
      try text.write(toFile: file, atomically: true, encoding: .utf8)
      return try await user.run("apply", "--file", file, "--wait", "-o", "name")
    }
    #expect(try await apply("{env: prod, number: 3}").status == 0)
    #expect(try await apply("{number: \"3\", env: prod}").errors == "All is as the file says.\n")
    let changed = try await apply("{env: dev}")
    #expect(changed.status == 0 && changed.errors == "~ web (1): labels env=dev\n", "\(changed.all)")
    #expect(try await apply("[env]").errors.contains("servers.0.labels"))
  }

  @Test(
    "A file that would delete a protected server is refused before anything is changed, and the difference says which")
  func protectedFromPruning() async throws {
    let service = try RunningService()
    defer { withExtendedLifetime(service) {} }
    let user = try service.user()
    for words in [["--name", "old"], ["--name", "kept", "--delete-protection"]] {
      let create = ["server", "create"] + words + ["--plan", "nano", "--os", "3", "--location", "us-west", "--wait"]
      #expect(try await user.run(User.program, create).status == 0)
    }
    let file = try user.write(
      "servers:\n- {name: web, plan: nano, os: debian-12, location: us-west}\n", to: "servers.yaml")
    for more in [["--dry-run"], ["--yes"]] {
      let result = try await user.run(User.program, ["apply", "-f", file, "--prune", "--wait"] + more)
      #expect(
        result.status == 4
          && result.errors == """
            + web: nano, debian-12, at us-west
            - old (1), with its disk and its copies
            - kept (2), with its disk and its copies: it is protected from deletion
            Error: kept (2) is protected from deletion, and so nothing is changed: vpsctl server update 2 --no-delete-protection

            """,
        "\(result.all)")
    }
    #expect(try await user.run("server", "list", "-o", "name", "--ordering", "id").output == "old\nkept\n")
    #expect(try await user.run("server", "update", "kept", "--no-delete-protection").status == 0)
    #expect(try await user.run("apply", "-f", file, "--prune", "--yes", "--wait", "-o", "name").output == "web\n")
    #expect(try await user.run("server", "list", "-o", "name").output == "web\n")
  }
}
