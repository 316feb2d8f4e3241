import ArgumentParser
import Core
import Engine

extension AccountCommand {
  struct Suspend: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shut an account's servers down, and let it change nothing. Its tokens still read.")

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: "The account's e-mail address or id.") var account: String
    @Option(help: "Why, for the customer to read.") var reason = ""

    func validate() throws { try requireReason(reason) }

    func run() async throws {
      let account = try await options.suspend(account, because: reason)
      output.tell(
        "Account \(account.email.escaped()) is suspended. Its servers are shut down within seconds.",
        AccountRecord(account: account))
    }
  }

  struct Resume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lift what `account suspend` did. An account that is out of credit needs `credit add`, too.")

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: "The account's e-mail address or id.") var account: String

    func run() async throws {
      let account = try await options.suspend(account, because: nil)
      output.tell(
        account.suspension.outOfCreditSince != nil
          ? "Account \(account.email.escaped()) is suspended by the operator no more, but is out of credit."
          : "Account \(account.email.escaped()) is not suspended any more. Its servers become what they were.",
        AccountRecord(account: account))
    }
  }
}

extension ConfigurationOptions {
  fileprivate func suspend(_ name: String, because reason: String?) async throws -> Account {
    let store = try await openDatabase()
    let account = try await Accounts(store: store).open(named: name)
    return try await OperatorAccounts(store: store, clock: SystemClock()).suspend(
      account.id, because: reason, by: .host)
  }
}

func requireReason(_ reason: String) throws {
  if !reason.isEmpty { try requireRule(AccountSuspension.reasonRule, reason, "--reason") }
}
