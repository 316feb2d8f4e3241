import APIClient
import ArgumentParser

struct ServerMove: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "move", abstract: "Move a server to another location.",
    discussion:
      "It takes its disk, backups and snapshots along, and gets new addresses there. One that is active is shut down for it and comes back."
  )

  @OptionGroup var name: ServerName
  @Option(help: "The location: its code.", completion: .names(of: .location)) var location: String
  @OptionGroup var waiting: WaitOptions
  @OptionGroup var options: OutputOptions

  func run() async throws {
    let session = try options.session
    let server = try await session.find(.server, name.server, isExact: true)
    try await ServerAction(
      path: "move/", body: ["location": .string(location)], kinds: ["move"], doing: "being moved"
    )
    .perform(on: server, session, waiting, options)
  }
}
