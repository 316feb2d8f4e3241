import APIClient
import ArgumentParser

struct ServerReboot: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reboot", abstract: "Shut a server down and start it again.")

  @OptionGroup var name: ServerName
  @OptionGroup var waiting: WaitOptions
  @OptionGroup var options: OutputOptions

  func run() async throws {
    let session = try options.session
    let server = try await session.find(.server, name.server)
    try await ServerAction(path: "reboot/", kinds: ["reboot"], doing: "rebooting")
      .perform(on: server, session, waiting, options)
  }
}
