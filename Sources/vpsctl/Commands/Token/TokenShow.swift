import APIClient
import ArgumentParser

struct TokenShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "show", abstract: "Show all of a token but its text.")

  @Argument(help: "The token: its id or name.", completion: .names(of: .token)) var token: String
  @OptionGroup var options: OutputOptions

  func run() async throws {
    try await options.show(options.session.find(.token, token), .token)
  }
}
