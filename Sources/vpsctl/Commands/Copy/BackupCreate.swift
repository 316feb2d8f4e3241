import APIClient
import ArgumentParser

struct BackupCreate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Copy the disk of a server, which may run meanwhile.")

  @OptionGroup var server: ServerName
  @Option(help: "What it is for.") var description: String?
  @OptionGroup var waiting: WaitOptions
  @OptionGroup var options: OutputOptions

  func run() async throws {
    let session = try options.session
    let id = try await session.id(.server, server.server)
    var body: JSON = ["server_id": .number(id)]
    body["description"] = description.map { .string($0) }
    try await DiskCopy(kind: .backup).create(body, session, waiting, options)
  }
}
