import APIClient
import ArgumentParser

struct ServerList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "List servers.", aliases: ["ls"])

  @Option(help: "Only those in this state, such as active.") var status: String?
  @Option(help: "Only those at this location.", completion: .names(of: .location)) var location: String?
  @Option(help: ArgumentHelp("Only those with such labels, as in env=prod,!old.", valueName: "labels")) var selector:
    String?
  @Option(help: ArgumentHelp("In this order, as in name,-created_at.", valueName: "fields")) var ordering: String?
  @OptionGroup var options: OutputOptions

  func run() async throws {
    let query = [("status", status), ("location", location), ("label_selector", selector), ("ordering", ordering)]
      .compactMap {
        name, value in
        value.map { (name: name, value: $0) }
      }
    let client = try options.session.client
    try options.list(try await OptionErrors.naming { try await client.list(Kind.server.path, query: query) }, .server)
  }
}
