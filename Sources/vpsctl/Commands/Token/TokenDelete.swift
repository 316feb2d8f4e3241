import ArgumentParser

struct TokenDelete: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete", abstract: "Revoke a token, and all that it made.", aliases: ["rm"])

  @Argument(help: "The token: its id or name.", completion: .names(of: .token)) var token: String
  @Flag(name: .shortAndLong, help: "Do not ask for the name.") var yes = false
  @OptionGroup var options: OutputOptions

  func run() async throws {
    try await Deletion(kind: .token).run(token, isConfirmed: yes, options)
  }
}
