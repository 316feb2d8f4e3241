import APIClient
import ArgumentParser

struct ServerHistory: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "history", abstract: "What was done with a server, when, by whom, and how it ended.")

  @OptionGroup var name: ServerName
  @OptionGroup var options: OutputOptions

  func run() async throws {
    let session = try options.session
    let id = try await session.id(.server, name.server)
    try options.list(await session.client.list("/servers/\(id)/operations/"), .operation)
  }
}
