import APIClient
import ArgumentParser

struct ServerStart: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "start", abstract: "Start a server that is stopped.")

  @OptionGroup var name: ServerName
  @OptionGroup var waiting: WaitOptions
  @OptionGroup var options: OutputOptions

  func run() async throws {
    let session = try options.session
    let server = try await session.find(.server, name.server)
    try await ServerAction(path: "start/", kinds: ["start"], doing: "starting")
      .perform(on: server, session, waiting, options)
  }
}
