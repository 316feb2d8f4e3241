import ArgumentParser

struct TokenCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "token", abstract: "Tokens for programs and people.",
    subcommands: [TokenList.self, TokenCreate.self, TokenShow.self, TokenDelete.self])
}
