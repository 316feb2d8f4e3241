import ArgumentParser
import Core
import SQLStore

extension AccountCommand {
  struct Suspend: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shut an account's servers down, and let it change nothing. Its tokens still read.")

    @OptionGroup var options: ConfigurationOptions
    @Argument(help: "The account's e-mail address.") var email: String
    @Option(help: "Why, for the customer to read.") var reason = ""

    func validate() throws { try requireReason(reason) }

    func run() async throws {
      guard try await options.openDatabase().suspend(accountOf: email, because: reason, at: SystemClock().now) else {
        throw ValidationError("There is no account \(email).")
      }
      print("Account \(email.escaped()) is suspended. Its servers are shut down within seconds.")
    }
  }

  struct Resume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lift what `account suspend` did. An account that is out of credit needs `credit add`, too.")

    @OptionGroup var options: ConfigurationOptions
    @Argument(help: "The account's e-mail address.") var email: String

    func run() async throws {
      let store = try options.openDatabase()
      guard try await store.suspend(accountOf: email, because: nil, at: SystemClock().now) else {
        throw ValidationError("There is no account \(email).")
      }
      let isOutOfCredit = try await store.account(email: email)?.suspension.outOfCreditSince != nil
      print(
        isOutOfCredit
          ? "Account \(email.escaped()) is suspended by the operator no more, but is out of credit."
          : "Account \(email.escaped()) is not suspended any more. Its servers become what they were.")
    }
  }
}

func requireReason(_ reason: String) throws {
  if !reason.isEmpty { try requireRule(AccountSuspension.reasonRule, reason, "--reason") }
}
