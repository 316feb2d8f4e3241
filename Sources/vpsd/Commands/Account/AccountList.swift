import ArgumentParser
import Core

struct AccountList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List all accounts and their balances, closed ones too.")

  @OptionGroup var options: ConfigurationOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let store = try await options.openStore()
    try await output.list { (last: AccountRecord?, limit: Int) in
      try await store.accounts(after: last?.account.id, limit: limit).map(AccountRecord.init)
    }
  }
}

struct AccountShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "show", abstract: "Show what there is of an account.")

  @OptionGroup var options: ConfigurationOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "The account's e-mail address or id.") var account: String

  func run() async throws {
    let store = try await options.openStore()
    let account = try await Accounts(store: store).one(named: account)
    guard let summary = try await store.summary(of: account.id) else {
      throw Refusal.noSuch("There is no account \(account.id) any more.")
    }
    output.show(AccountSummaryRecord(summary: summary))
  }
}
