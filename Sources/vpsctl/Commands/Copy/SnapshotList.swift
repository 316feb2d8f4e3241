import APIClient
import ArgumentParser

struct SnapshotList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "List snapshots.", aliases: ["ls"])

  @Option(help: "Only those of this server.", completion: .names(of: .server)) var server: String?

  @OptionGroup var options: OutputOptions

  func run() async throws {
    let session = try options.session
    var query: [(name: String, value: String)] = []
    if let server { query.append(("server_id", String(try await session.id(.server, server)))) }

    try await options.list(session.client.list(Kind.snapshot.path, query: query), .snapshot)
  }
}
