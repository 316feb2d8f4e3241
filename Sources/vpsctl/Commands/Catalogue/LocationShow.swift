import APIClient
import ArgumentParser

struct LocationShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "show", abstract: "Show all of one.")

  @Argument(help: "Its id or name.", completion: .names(of: .location)) var name: String
  @OptionGroup var options: OutputOptions

  func run() async throws {
    try await options.show(options.session.find(.location, name), .location)
  }
}
