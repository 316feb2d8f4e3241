import APIClient
import ArgumentParser

struct TokenList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "List tokens.", aliases: ["ls"])

  @OptionGroup var options: OutputOptions

  func run() async throws {
    try await options.list(options.session.client.list(Kind.token.path), .token)
  }
}
