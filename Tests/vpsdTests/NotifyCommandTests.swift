import Foundation
import TestSupport
import Testing

/// Through the program, as it is built.
@Suite("Notices, as an operator sets them up")
struct NotifyCommandTests {
  /// A mail program that keeps each message in a file of its own.
  private static func mailProgram(in folder: URL, failing: Bool = false) throws -> (path: String, mails: String) {
    let (path, mails) = (folder.path + "/mail", folder.path + "/mails")
    try FileManager.default.createDirectory(atPath: mails, withIntermediateDirectories: true)
    let body = failing ? "echo 'the queue is full' >&2; exit 75" : "cat > \"$1/$$.new\" && mv \"$1/$$.new\" \"$1/$$\""
    try Data("#!/bin/sh\n\(body)\n".utf8).write(to: URL(fileURLWithPath: path))
    chmod(path, 0o755)
    return (path, mails)
  }

  private static func mails(in folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).filter { !$0.hasSuffix(".new") }
      .map { try String(contentsOfFile: "\(folder)/\($0)", encoding: .utf8) }
  }

  private static func settings(_ program: (path: String, mails: String)) -> [String: String] {
    ["VPSD_NOTIFY_COMMAND": "\(program.path), \(program.mails)", "VPSD_NOTIFY_FROM": "noreply@vps.example.com"]
  }

  @Test("The service tells of what a command has done, in the account's language, and the operator sees what arrived")
  func told() async throws {
    let outside = try ScopedFolder()
    let program = try Self.mailProgram(in: outside.url)
    let someone = try Operator(Self.settings(program))
    _ = try someone.serve()
    let made = try someone.run("account", "create", "ada@example.com", "--language", "bg", "--json")
    #expect(try made.objects.first?["language"] as? String == "bg", "\(made.all)")
    // The configuration of the command says nothing of notices; the service's does.
    let other = ["VPSD_NOTIFY_COMMAND": "", "VPSD_NOTIFY_FROM": ""]
    #expect(try someone.run(["account", "suspend", "ada@example.com", "--reason", "Спам."], with: other).status == 0)
    let deadline = ContinuousClock.now + .seconds(120)
    while try Self.mails(in: program.mails).isEmpty, ContinuousClock.now < deadline {
      try await Task.sleep(for: .milliseconds(20))
    }
    let mail = try #require(try Self.mails(in: program.mails).first)
    #expect(mail.contains("\nTo: ada@example.com\n") && mail.contains("\nContent-Language: bg\n"))
    #expect(mail.contains("\nSubject: =?utf-8?B?0JDQutCw0YPQvdGC"))
    let changed = try someone.run("account", "update", "2", "--language", "en", "--json")
    #expect(try changed.objects.first?["language"] as? String == "en")
    #expect(try someone.run("account", "show", "2").output.contains(/LANGUAGE +en\n/))
    #expect(try someone.run("account", "update", "2", "--language", "de").status == 64)
    while try someone.run("notify", "list", "--state", "delivered", "--json").objects.isEmpty,
      ContinuousClock.now < deadline
    {}
    let listed = try #require(try someone.run("notify", "list", "--json").objects.first)
    #expect(listed["kind"] as? String == "account.suspended" && listed["state"] as? String == "delivered")
    #expect(try someone.run("notify", "list", "--state", "given-up", "--json").objects.isEmpty)
    #expect(try someone.run("notify", "list").output.contains("ada@example.com"))
    _ = try someone.endService()
  }

  @Test("`vpsd notify test` sends one, and says why where that fails or nothing is configured")
  func trial() throws {
    let outside = try ScopedFolder()
    let program = try Self.mailProgram(in: outside.url)
    let someone = try Operator()
    let sent = try someone.run(["notify", "test", "ada@example.com"], with: Self.settings(program))
    #expect(sent.status == 0 && sent.output == "A notice to ada@example.com was taken over.\n", "\(sent.all)")
    #expect(try Self.mails(in: program.mails).first?.contains("Subject: A test\n") == true)
    let nothing = try someone.run("notify", "test", "ada@example.com")
    #expect(nothing.status == 4 && nothing.errors.contains("see the key notify"), "\(nothing.all)")
    let failing = try Self.mailProgram(in: outside.url, failing: true)
    let failed = try someone.run(["notify", "test", "ada@example.com"], with: Self.settings(failing))
    #expect(failed.status == 1 && failed.errors.contains("exit status 75: the queue is full"), "\(failed.all)")
    for address in ["ada", "a@b,c@d", "a@b\nBcc: c@d"] {
      #expect(try someone.run(["notify", "test", address], with: Self.settings(program)).status == 64)
    }
  }

  @Test("The service and `vpsd check` refuse what could deliver nothing, by the name of its key")
  func refused() throws {
    let outside = try ScopedFolder()
    let someone = try Operator()
    try someone.makeInstallation()
    let secret = outside.url.path + "/secret"
    try Data("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n".utf8).write(to: URL(fileURLWithPath: secret))
    chmod(secret, 0o644)
    let webhook = ["VPSD_NOTIFY_WEBHOOK": "https://127.0.0.1:1/", "VPSD_NOTIFY_SECRET_FILE": secret]
    let missing = ["VPSD_NOTIFY_COMMAND": "/nowhere/sendmail, -t", "VPSD_NOTIFY_FROM": "a@example.com"]
    for (settings, key) in [(missing, "notify.command"), (webhook, "notify.secret_file")] {
      for command in ["serve", "check"] {
        let result = try someone.run([command], with: settings)
        #expect(result.status != 0 && result.errors.contains(": \(key): "), "\(command): \(result.all)")
      }
    }
    chmod(secret, 0o600)
    #expect(try someone.run(["check"], with: webhook).status == 0)
    try Data("secret".utf8).write(to: URL(fileURLWithPath: secret))
    #expect(try someone.run(["check"], with: webhook).errors.contains("holds no secret"))
  }

  @Test("What checks and confirms tells programs what it has found, in one object")
  func checks() throws {
    let someone = try Operator()
    try someone.makeInstallation()
    let check = try someone.run("check", "--json")
    let checked = try #require(try check.objects.first)
    #expect(check.status == 0 && checked["ok"] as? Bool == true && checked["machines_seen"] as? Bool == false)
    #expect(checked["servers"] as? Int == 0 && (checked["faults"] as? [String])?.isEmpty == true)
    let sum = try #require(try someone.run("credit", "check", "--json").objects.first)
    #expect(sum["accounts"] as? Int == 1 && sum["entries"] as? Int == 1 && sum["ok"] as? Bool == true)
    #expect(sum["clock_doubted"] as? Bool == false)
    let confirmed = try #require(try someone.run("credit", "confirm-clock", "--json").objects.first)
    #expect(confirmed["confirmed_at"] is String && confirmed["charged_from"] is String)
  }

  @Test(
    "An image that is built, or there already, is told as `image list` tells it, and what its recipe says is not in between"
  )
  func image() throws {
    let someone = try Operator()
    let images = someone.folder.url.path + "/images"
    let recipes = someone.folder.url.appendingPathComponent("recipes")
    try FileManager.default.createDirectory(at: recipes, withIntermediateDirectories: true)
    let recipe = """
      #!/bin/sh
      echo "building $1"
      mkdir -p "$3/$1/20260101" && echo disk >"$3/$1/20260101/disk.qcow2" && ln -s 20260101 "$3/$1/current"
      """
    try Data(recipe.utf8).write(to: recipes.appendingPathComponent("build"))
    chmod(recipes.path + "/build", 0o755)
    let settings = ["VPSD_IMAGE_DIR": images, "VPSD_RECIPE_DIR": recipes.path]
    let built = try someone.run(["image", "build", "debian-12", "--json"], with: settings)
    let listed = try someone.run(["image", "list", "--json"], with: settings)
    #expect(built.status == 0 && built.output == listed.output, "\(built.all) \(listed.all)")
    #expect(built.errors == "building debian-12\n")
    #expect(try built.objects.first?["version"] as? String == "20260101")
    let again = try someone.run(["image", "build", "debian-12", "--if-missing", "--json"], with: settings)
    #expect(again.all == built.output)
  }
}
