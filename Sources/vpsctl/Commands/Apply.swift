import APIClient
import ArgumentParser

struct Apply: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apply", abstract: "Make the servers what a file says.",
    discussion: """
      Servers are known by their names. What is not in the file is left alone, unless --prune is said.

        servers:
          - name: web
            plan: nano
            os: debian-12
            location: us-west
            hostname: web.example.com
            ssh_keys: [me, ~/.ssh/id_ed25519.pub]
            backups: true
            firewall:
              enabled: true
              rules:
                - {direction: in, protocol: tcp, port: "22"}
      """)

  @Option(
    name: .shortAndLong, help: "The file, or - for standard input.", completion: .file(extensions: ["yaml", "yml"]))
  var file: String
  @Flag(name: .customLong("dry-run"), help: "Say what would be done, and do nothing.") var isDryRun = false
  @Flag(help: "Delete servers that are not in the file.") var prune = false
  @Flag(name: .shortAndLong, help: "Do not ask before servers are deleted.") var yes = false
  @OptionGroup var waiting: WaitOptions
  @OptionGroup var options: OutputOptions

  func run() async throws {
    guard let text = file == "-" ? try Terminal.standardInput(atMost: 1 << 20, "--file") : try SecretFile.read(file)
    else {
      throw Refusal(.notFound, "There is no file \(file).")
    }
    let session = try options.session
    let wanted = try ServerFile(parsing: text)
    let plan = try await ApplyPlan(wanted, isPruning: prune, session)
    for line in plan.changes.flatMap(\.lines) { Terminal.tell(line.escapedForTerminal) }
    if plan.changes.isEmpty { Terminal.tell("All is as the file says.") }
    let refusals = plan.deleted.filter(\.isDeleteProtected).map { server in
      let title = Kind.server.title(of: server)
      return "\(title) is protected from deletion, and so nothing is changed: "
        + "vpsctl server update \(server["id"]?.int ?? 0) --no-delete-protection"
    }
    guard refusals.isEmpty else { throw Refusal(.refused, refusals) }
    if isDryRun { return }
    if !plan.deleted.isEmpty {
      let count = plan.deleted.count
      try Session.confirm(
        "\(count == 1 ? "A server is" : "\(count) servers are") deleted for good.", by: "delete \(count)",
        isConfirmed: yes)
    }
    for change in plan.changes {
      do {
        try await carryOut(change, session)
      } catch let error as APIError {
        // Says in which change the error occurred.
        throw Refusal(
          .init(rawValue: Ending(error).status) ?? .failed,
          change.lines.prefix(1) + error.description.split(separator: "\n").map(String.init))
      }
    }
    let names = Set(wanted.entries.map(\.order.name))
    let servers = try await session.client.list(Kind.server.path).filter { names.contains($0["name"]?.string ?? "") }
    try options.list(servers, .server)
  }

  /// Each change may take the whole time limit.
  private func carryOut(_ change: ApplyPlan.Change, _ session: Session) async throws {
    let deadline = ContinuousClock.now + waiting.limit
    let session = session.patient(waiting, until: deadline, for: change.title)
    switch change {
    case .create(let order):
      let created = try await order.place(session) { Self.tellPassword(of: $0) }
      Self.tellPassword(of: created)
      guard waiting.isWaiting, let id = created["id"]?.int else { return }
      let title = Kind.server.title(of: created)
      let server = try await Progress.during(
        "\(title) is being created", session, goesOn: "\(title) is created all the same."
      ) { _ in
        try await session.settled(id, within: max(.seconds(1), deadline - .now))
      }
      guard server["status"]?.string != "error" else {
        throw Refusal(.failed, "\(title): \(server["status_reason"]?.string ?? "It could not be created.")")
      }
    case .update(let server, let fields, _):
      _ = try await session.client.request("PATCH", Self.path(server), body: fields)
    case .resize(let server, let plan, _):
      let title = Kind.server.title(of: server)
      try await Progress.during(
        "\(title) is being resized", session, goesOn: "\(title) is resized all the same."
      ) { _ in
        _ = try await session.client.request("POST", Self.path(server) + "resize/", body: ["plan_id": plan])
        guard waiting.isWaiting, let id = server["id"]?.int else { return }
        let operation = try await session.finishedOperation(
          ["resize"], of: id, within: max(.zero, deadline - .now))
        guard operation?["status"]?.string == "succeeded" else {
          throw Refusal(
            .failed,
            "\(title): \(operation?["reason"]?.string ?? "It could not be resized.")")
        }
      }
    case .firewall(let server, let firewall):
      let body: JSON = ["enabled": firewall["enabled"] ?? false, "rules": firewall["rules"] ?? []]
      _ = try await session.client.request("PUT", Self.path(server) + "firewall/", body: body, waitSeconds: 10)
    case .delete(let server):
      _ = try await session.client.request("DELETE", Self.path(server))
    }
  }

  private static func tellPassword(of created: JSON) {
    guard let password = created["password"]?.string else { return }
    Terminal.tell("\(Kind.server.title(of: created)) has the password \(password)".escapedForTerminal)
  }

  private static func path(_ server: JSON) -> String { "/servers/\(server["id"]?.int ?? 0)/" }
}
