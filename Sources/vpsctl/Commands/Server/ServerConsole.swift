import APIClient
import ArgumentParser

struct ServerConsole: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "console", abstract: "An address that shows a server's screen in a browser, once and within a minute.")

  @OptionGroup var name: ServerName
  @OptionGroup var options: OutputOptions

  func run() async throws {
    let session = try options.session
    let id = try await session.id(.server, name.server)
    let console = try await session.client.request("POST", "/servers/\(id)/console/").json()
    options.tell(console["url"]?.string ?? "", console, .console)
  }
}
