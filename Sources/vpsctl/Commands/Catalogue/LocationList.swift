import APIClient
import ArgumentParser

struct LocationList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "List locations.", aliases: ["ls"])

  @OptionGroup var options: OutputOptions

  func run() async throws {
    try await options.list(options.session.client.list(Kind.location.path), .location)
  }
}
