import APIClient
import ArgumentParser

struct ServerLabel: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "label", abstract: "Add labels to a server, and take some away.",
    discussion: """
      What is not named stays as it is. `vpsctl server list --selector env=prod` shows those that have it.

        vpsctl server label web env=prod tier=web --remove old
      """)

  @OptionGroup var name: ServerName
  @Argument(help: ArgumentHelp("Labels to add, or to give another value.", valueName: "key=value")) var labels:
    [String] = []
  @Option(help: ArgumentHelp("The key of a label to take away. More than once for more.", valueName: "key"))
  var remove: [String] = []
  @OptionGroup var options: OutputOptions

  func validate() throws {
    guard !labels.isEmpty || !remove.isEmpty else {
      throw ValidationError("Say what to change: KEY=VALUE, or --remove KEY.")
    }
  }

  func run() async throws {
    let added = try ServerExtras.labels(labels)
    let session = try options.session
    let id = try await session.id(.server, name.server, isExact: true)
    let changed = try await change(id, added, session)
    options.tell("The labels of \(Kind.server.title(of: changed)) are changed.", changed, .server)
  }

  /// Changes the labels, and starts again where somebody else has changed them meanwhile, so that no change is lost.
  private func change(_ id: Int, _ added: JSON, _ session: Session) async throws -> JSON {
    var attempts = 3
    while true {
      let reply = try await session.client.request("GET", "/servers/\(id)/")
      var all = try reply.json()["labels"] ?? [:]
      for key in remove { all[key] = nil }
      for member in added.members ?? [] { all[member.name] = member.value }
      attempts -= 1
      do {
        let tag = reply.header("ETag").map { [(name: "If-Match", value: $0)] } ?? []
        return try await OptionErrors.naming {
          try await session.client.request("PATCH", "/servers/\(id)/", body: ["labels": all], headers: tag).json()
        }
      } catch let error as APIError where error.status == 412 && attempts > 0 {
        continue
      }
    }
  }
}
