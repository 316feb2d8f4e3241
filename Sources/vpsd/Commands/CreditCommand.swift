import ArgumentParser
import Core
import SQLStore

struct CreditCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "credit", abstract: "What accounts have, and whether the ledger adds up.",
    subcommands: [Add.self, Show.self, Check.self, ConfirmClock.self])

  struct Add: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Add to what an account has. Servers that were suspended for want of it come back within seconds.")

    @OptionGroup var options: ConfigurationOptions
    @Argument(help: "The account's e-mail address.") var email: String
    @Argument(help: "How much, such as 10 or 0.10.") var amount: String
    @Option(help: "What the customer reads beside it in the ledger.") var note = ""

    private static let noteRule = TextRule(maximumLength: 255)

    func validate() throws {
      guard let amount = Money(decimal: amount), amount > .zero else {
        throw ValidationError(
          "\(amount.quoted): an amount above 0, up to \(Money.largestWritten.decimal), with six decimal places at most."
        )
      }
      if !note.isEmpty { try requireRule(Self.noteRule, note, "--note") }
    }

    func run() async throws {
      guard let amount = Money(decimal: amount) else { return }
      let store = try options.openDatabase()
      guard let account = try await store.addCredit(amount, to: email, note: note, at: SystemClock().now) else {
        throw ValidationError("There is no account \(email).")
      }
      print(
        "Account \(account.id), \(account.email.escaped()), has \(account.balance.decimal) \(store.tariff.currency).")
      if account.suspension.outOfCreditSince != nil {
        let cost = try await store.costWhenPaid(of: account.id)
        print("It stays suspended: its servers need \(cost.decimal) for an hour.")
      }
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show what an account has, what its servers cost, and whether it is suspended.")

    @OptionGroup var options: ConfigurationOptions
    @Argument(help: "The account's e-mail address; may be left out where there is only one.") var email: String?

    func run() async throws {
      let store = try options.openDatabase()
      let account = try await Accounts(store: store).one(named: email)
      let currency = store.tariff.currency
      var table = TextTable("ACCOUNT", account.email)
      table.add("balance", "\(account.balance.decimal) \(currency)")
      table.add("cost of an hour", "\(try await store.hourlyCost(of: account.id).decimal) \(currency)")
      if let since = account.suspension.outOfCreditSince {
        table.add("out of credit since", since.displayed)
        table.add("an hour when it can pay", "\(try await store.costWhenPaid(of: account.id).decimal) \(currency)")
      }
      if let deletion = account.suspension.deletionAt { table.add("servers are deleted", deletion.displayed) }
      if let since = account.suspension.byOperatorSince {
        table.add("suspended by the operator", since.displayed)
        table.add("reason", account.suspension.operatorReason ?? "")
      }
      print(table.text)
    }
  }

  struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Add the whole ledger up, entry by entry, and compare it with what accounts and servers have.",
      discussion: "What does not agree is printed, a line each; then the exit status is 1.")

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
      let store = try options.openDatabase()
      var (accounts, entries, isWhole) = (0, 0, true)
      var last: Account?
      repeat {
        let page = try await store.accounts(after: last?.id, limit: 500)
        for account in page {
          let (count, faults) = try await store.ledgerFaults(of: account.id)
          for fault in faults { print("account \(account.id): \(fault)".escaped()) }
          (accounts, entries, isWhole) = (accounts + 1, entries + count, isWhole && faults.isEmpty)
        }
        last = page.last
      } while last != nil
      if try await store.isBillingClockDoubted(at: SystemClock().now) {
        print("Nothing is charged at the moment: see `vpsd credit confirm-clock`.")
      }
      guard isWhole else { throw ExitCode(1) }
      print("\(accounts) account(s), \(entries) entries: the ledger adds up.")
    }
  }

  struct ConfirmClock: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "confirm-clock",
      abstract: "Say that the time of day is right, so that hours are charged again.",
      discussion: """
        Nothing is charged once the clock is more than 26 hours ahead of the last time that was billed: because it jumped, or \
        because the service was down for so long, which nobody can tell apart. Where the time is right, this command says so, \
        and all hours that have begun since are charged, once. Where it is wrong, set it right instead: then billing goes on \
        by itself.
        """)

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
      let now = SystemClock().now
      guard let last = try await options.openDatabase().confirmBillingClock(at: now) else {
        throw ValidationError("Nothing was ever billed: start the service once.")
      }
      print("It is \(now.displayed) UTC. Hours are charged from \(last.displayed) on.")
    }
  }
}
