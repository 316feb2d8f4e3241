import APIClient
import ArgumentParser

struct LocationCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "location", abstract: "The locations that there are.",
    subcommands: [LocationList.self, LocationShow.self])
}

struct LocationList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "List locations.", aliases: ["ls"])

  @OptionGroup var options: OutputOptions

  func run() async throws {
    try await options.list(options.session.client.list(Kind.location.path), .location)
  }
}

struct LocationShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "show", abstract: "Show all of one.")

  @Argument(help: "Its id or name.", completion: .names(of: .location)) var name: String
  @OptionGroup var options: OutputOptions

  func run() async throws {
    try await options.show(options.session.find(.location, name), .location)
  }
}
