import APIClient
import ArgumentParser

struct ServerPowerOff: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "power-off", abstract: "Take the power of a server away at once, as from a machine that hangs.")

  @OptionGroup var name: ServerName
  @OptionGroup var waiting: WaitOptions
  @OptionGroup var options: OutputOptions

  func run() async throws {
    let session = try options.session
    let server = try await session.find(.server, name.server, isExact: true)
    try await ServerAction(
      path: "power/", body: ["action": "hard_stop"], kinds: ["hard_stop"], doing: "being turned off"
    )
    .perform(on: server, session, waiting, options)
  }
}
