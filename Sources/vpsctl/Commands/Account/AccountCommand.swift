import ArgumentParser

struct AccountCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "account", abstract: "Whose token this is, the balance, and what servers cost.",
    subcommands: [AccountShow.self, AccountLedger.self, AccountUsage.self])
}
