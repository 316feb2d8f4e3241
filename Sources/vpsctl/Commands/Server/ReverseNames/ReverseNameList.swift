import APIClient
import ArgumentParser

struct ReverseNameList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the addresses of a server, with their names.")

  @OptionGroup var name: ServerName
  @OptionGroup var options: OutputOptions

  func run() async throws {
    let session = try options.session
    let id = try await session.id(.server, name.server)
    try options.list(await session.client.list(ReverseNameCommand.path(id)), .reverseName)
  }
}
