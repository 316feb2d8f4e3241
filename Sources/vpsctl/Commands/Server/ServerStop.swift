import APIClient
import ArgumentParser

struct ServerStop: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stop", abstract: "Ask a server to shut down.")

  @OptionGroup var name: ServerName
  @OptionGroup var waiting: WaitOptions
  @OptionGroup var options: OutputOptions

  func run() async throws {
    let session = try options.session
    let server = try await session.find(.server, name.server)
    try await ServerAction(path: "stop/", kinds: ["stop"], doing: "stopping")
      .perform(on: server, session, waiting, options)
  }
}
