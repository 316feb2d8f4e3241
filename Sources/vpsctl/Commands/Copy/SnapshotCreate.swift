import APIClient
import ArgumentParser

struct SnapshotCreate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Copy the disk of a server, which may run meanwhile.")

  @OptionGroup var server: ServerName
  @Option(help: "Its name: letters, digits, - and _.") var name: String
  @Option(help: "What it is for.") var description: String?
  @OptionGroup var waiting: WaitOptions
  @OptionGroup var options: OutputOptions

  func run() async throws {
    let session = try options.session
    let id = try await session.id(.server, server.server)
    var body: JSON = ["server_id": .number(id)]
    body["name"] = .string(name)
    body["description"] = description.map { .string($0) }
    try await DiskCopy(kind: .snapshot).create(body, session, waiting, options)
  }
}
