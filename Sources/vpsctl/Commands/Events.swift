import APIClient
import ArgumentParser

struct Events: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "events", abstract: "Follow what happens to the servers, until Ctrl-C.",
    discussion: "With -o json an object a line. A connection that is lost is made again, and nothing is missed.")

  @Option(help: ArgumentHelp("Begin after this event.", valueName: "id")) var after: String?
  @Option(help: ArgumentHelp("End after so many.", valueName: "count")) var limit: Int?
  @OptionGroup var options: OutputOptions

  func run() async throws {
    var left = limit ?? .max
    guard left > 0 else { return }
    for try await event in try options.session.client.allEvents(after: after) where event.type != "beginning" {
      switch options.output {
      case .json: Terminal.print(event.data.text)
      case .yaml: Terminal.write("---\n" + event.data.yaml)
      case .name: Terminal.print(event.id.escapedForTerminal)
      case .table: Terminal.print(Self.line(event))
      }
      // A program that reads the output gets each event at once.
      Terminal.flush()
      left -= 1
      if left == 0 { return }
    }
  }

  private static func line(_ event: APIClient.Event) -> String {
    func text(_ path: String) -> String? { event.data[path: path].flatMap { $0.isNull ? nil : Column.text($0) } }
    let server = text("server.name").map { name in "\(name) (\(text("server.id") ?? "?"))" }
    let what =
      switch event.type {
      case "server.status": text("server.status").map { "is \($0)" }
      case "server.deleted": "is deleted"
      case "server.deletion": text("server.deletion_at").map { "will be deleted at \($0)" } ?? "will not be deleted"
      case "server.throttle":
        event.data[path: "server.throttled"]?.bool == true
          ? "is slow: it had more traffic than its plan includes" : "is as fast as its plan again"
      case "operation":
        [text("operation.kind"), text("operation.status"), text("operation.reason").map { "(\($0))" }]
          .compactMap { $0 }.joined(separator: " ")
      default: text("detail")
      }
    return [text("at"), server, what ?? event.type.escapedForTerminal].compactMap { $0 }.joined(separator: "  ")
  }
}
