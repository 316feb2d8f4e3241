import ArgumentParser
import Core
import Engine

struct AccountCreate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "create", abstract: "Open an account.")

  @OptionGroup var options: ConfigurationOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "The account's e-mail address.") var email: String
  @Option(help: ArgumentHelp("Its opening credit: 10, or 0.10.", valueName: "amount")) var credit = "0"
  @OptionGroup var profile: ProfileOptions

  func validate() throws {
    guard Account.isPossible(email: email) else { throw ValidationError("\(email.quoted): no e-mail address.") }
    _ = try amount(credit, in: OperatorAccounts.openingCredits, "--credit")
  }

  func run() async throws {
    let account = try await OperatorAccounts(store: options.openStore(), clock: SystemClock()).create(
      email: email, profile.change, openingCredit: amount(credit, in: OperatorAccounts.openingCredits, "--credit"),
      by: .host)
    output.tell(
      "Account \(account.id), \(account.email.escaped()), has a credit of \(account.balance.decimal).",
      AccountRecord(account: account))
  }
}

/// The profile of an account's owner.
struct ProfileOptions: ParsableArguments {
  @Option(help: "The first name of its owner.") var firstName: String?
  @Option(help: "The last name of its owner.") var lastName: String?
  @Option(help: "The owner's company.") var company: String?
  @Option(help: "In which language the owner is written to: en or bg.") var language: Language?

  func validate() throws {
    for (option, text) in [("first-name", firstName), ("last-name", lastName), ("company", company)] {
      try requireRule(Account.nameRule, text, "--\(option)")
    }
  }

  var change: ProfileChange {
    ProfileChange(firstName: firstName, lastName: lastName, companyName: company, language: language)
  }
}

extension Language: ExpressibleByArgument {}
