import ArgumentParser
import Core

struct AccountCreate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "create", abstract: "Open an account.")

  private static let creditRange = Money.zero...Money.largestWritten

  @OptionGroup var options: ConfigurationOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "The account's e-mail address.") var email: String
  @Option(help: ArgumentHelp("Its opening credit: 10, or 0.10.", valueName: "amount")) var credit = "0"
  @OptionGroup var profile: ProfileOptions

  func validate() throws {
    guard Self.isAddress(email) else { throw ValidationError("\(email.quoted): no e-mail address.") }
    _ = try amount(credit, in: Self.creditRange, "--credit")
  }

  /// As much of RFC 5321 as tells an address from anything else: at most 254 bytes, and no space or control character.
  static func isAddress(_ text: String) -> Bool {
    guard text.utf8.count <= 254, let at = text.utf8.lastIndex(of: UInt8(ascii: "@")) else { return false }
    return at != text.utf8.startIndex && text.utf8.index(after: at) != text.utf8.endIndex
      && !text.unicodeScalars.contains { $0.isControl || $0.properties.isWhitespace }
  }

  func run() async throws {
    let account = try await options.openStore().createAccount(
      email: email, profile.change, openingCredit: try amount(credit, in: Self.creditRange, "--credit"),
      at: SystemClock().now)
    output.tell(
      "Account \(account.id), \(account.email.escaped()), has a credit of \(account.balance.decimal).",
      AccountRecord(account: account))
  }
}

/// Who an account belongs to.
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
