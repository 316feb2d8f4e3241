import ArgumentParser
import Core

struct AccountCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "account", abstract: "The customers' accounts.",
    subcommands: [Create.self, Update.self, List.self, Suspend.self, Resume.self])

  struct Create: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Open an account.")

    @OptionGroup var options: ConfigurationOptions
    @Argument(help: "The account's e-mail address.") var email: String
    @Option(help: "Its opening credit, in whole units.") var credit = 0

    func validate() throws {
      guard Self.isAddress(email) else { throw ValidationError("\(email.quoted): no e-mail address.") }
      guard (0...1_000_000_000).contains(credit) else { throw ValidationError("--credit: 0 to 1000000000.") }
    }

    /// As much of RFC 5321 as tells an address from anything else: at most 254 bytes, and no space or control character.
    static func isAddress(_ text: String) -> Bool {
      guard text.utf8.count <= 254, let at = text.utf8.lastIndex(of: UInt8(ascii: "@")) else { return false }
      return at != text.utf8.startIndex && text.utf8.index(after: at) != text.utf8.endIndex
        && !text.unicodeScalars.contains { $0.isControl || $0.properties.isWhitespace }
    }

    func run() async throws {
      let account = try await options.openStore().createAccount(
        email: email, openingCredit: Money(microunits: Int64(credit) * 1_000_000), at: SystemClock().now)
      print("Account \(account.id), \(account.email.escaped()), has a credit of \(account.balance.decimal).")
    }
  }

  struct Update: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Say who an account belongs to.")

    @OptionGroup var options: ConfigurationOptions
    @Argument(help: "The account's e-mail address.") var email: String
    @Option(help: "The first name of its owner.") var firstName: String?
    @Option(help: "The last name of its owner.") var lastName: String?
    @Option(help: "The owner's company.") var company: String?

    func validate() throws {
      for (option, text) in [("first-name", firstName), ("last-name", lastName), ("company", company)] {
        try requireRule(Account.nameRule, text, "--\(option)")
      }
    }

    func run() async throws {
      let store = try options.openStore()
      let account = try await Accounts(store: store).one(named: email)
      _ = try await store.updateProfile(
        of: account.id, ProfileChange(firstName: firstName, lastName: lastName, companyName: company),
        at: SystemClock().now)
      print("Account \(account.id), \(account.email.escaped()), is changed.")
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List all accounts.")

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
      let store = try options.openStore()
      try await PrintedList<Account>.print(TextTable("ID", "E-MAIL", "BALANCE")) { last, limit in
        try await store.accounts(after: last?.id, limit: limit)
      } _: { table, account in
        table.add("\(account.id)", account.email, account.balance.decimal)
      }
    }
  }
}

/// Throws where what an operator wrote for an option breaks the rule for it.
func requireRule(_ rule: TextRule, _ text: String?, _ option: String) throws {
  if let message = text.flatMap(rule.violation) { throw ValidationError("\(option): \(message)") }
}

/// Finds the account that an operator means.
struct Accounts {
  let store: any OperatorStore

  func one(named email: String?) async throws -> Account {
    if let email {
      if let account = try await store.account(email: email) { return account }
      throw ValidationError("There is no account \(email).")
    }
    let accounts = try await store.accounts(after: nil, limit: 2)
    guard accounts.count == 1, let account = accounts.first else {
      throw ValidationError(
        accounts.isEmpty
          ? "There is no account yet: start the service once." : "There are several accounts: name one with --account.")
    }
    return account
  }
}
