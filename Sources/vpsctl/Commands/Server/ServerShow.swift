import APIClient
import ArgumentParser

struct ServerShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show all of a server, with what it uses.")

  @OptionGroup var name: ServerName
  @OptionGroup var options: OutputOptions

  func run() async throws {
    let session = try options.session
    let id = try await session.id(.server, name.server)
    try options.show(await session.get("/servers/\(id)/"), .server)
  }
}
