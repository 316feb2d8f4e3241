import API
import ArgumentParser
import Core
import Engine
import SQLStore

struct CreditCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "credit", abstract: "What accounts have, and whether the ledger adds up.",
    subcommands: [Add.self, Show.self, Check.self, ConfirmClock.self])

  struct Add: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Add to what an account has. Servers that were suspended for want of it come back within seconds.")

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: "The account's e-mail address or id.") var account: String
    @Argument(help: "How much, such as 10 or 0.10.") var amount: String
    @Option(help: "What the customer reads beside it in the ledger.") var note = ""

    func validate() throws {
      guard let amount = Money(decimal: amount), amount > .zero else {
        throw ValidationError(
          "\(amount.quoted): an amount above 0, up to \(Money.largestWritten.decimal), with six decimal places at most."
        )
      }
      if !note.isEmpty { try requireRule(OperatorAccounts.noteRule, note, "--note") }
    }

    func run() async throws {
      guard let amount = Money(decimal: amount) else { return }
      let store = try await options.openDatabase()
      let named = try await Accounts(store: store).open(named: account)
      let account = try await OperatorAccounts(store: store, clock: SystemClock()).addCredit(
        amount, to: named.id, note: note, by: .host)
      let credit = try await CreditRecord(of: account, in: store)
      output.tell(
        "Account \(account.id), \(account.email.escaped()), has \(account.balance.decimal) \(store.tariff.currency)."
          + (credit.costWhenPaid.map { "\nIt stays suspended: its servers need \($0.decimal) for an hour." } ?? ""),
        credit)
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show what an account has, what its servers cost, and whether it is suspended.")

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: "The account's e-mail address or id; may be left out where there is only one.") var account: String?

    func run() async throws {
      let store = try await options.openDatabase()
      output.show(try await CreditRecord(of: try await Accounts(store: store).one(named: account), in: store))
    }
  }

  struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Add the whole ledger up, entry by entry, and compare it with what accounts and servers have.",
      discussion: "What does not agree is printed, a line each; then the exit status is 1.")

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    /// Only the first faults are kept, so that a ledger of any length fits in memory.
    private static let mostFaults = 1000

    func run() async throws {
      let store = try await options.openDatabase()
      var sum = LedgerSum()
      var last: Account?
      repeat {
        let page = try await store.accounts(after: last?.id, limit: 500)
        for account in page {
          let (count, faults) = try await store.ledgerFaults(of: account.id)
          sum.accountCount += 1
          sum.entryCount += count
          sum.faultCount += faults.count
          let room = Self.mostFaults - sum.faults.count
          sum.faults += faults.prefix(room).map { "account \(account.id): \($0)" }
        }
        last = page.last
      } while last != nil
      sum.isClockDoubted = try await store.isBillingClockDoubted(at: SystemClock().now)
      output.tell(sum.sentences, sum)
      guard sum.faultCount == 0 else { throw ExitCode(1) }
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
    @OptionGroup var output: OutputOptions

    func run() async throws {
      let now = SystemClock().now
      guard let last = try await options.openDatabase().confirmBillingClock(at: now) else {
        throw Refusal.refused("Nothing was ever billed: start the service once.")
      }
      output.tell(
        "It is \(now.displayed) UTC. Hours are charged from \(last.displayed) on.",
        ConfirmedClock(confirmedAt: now, billedUntil: last))
    }
  }
}

/// An account's balance, the cost of its servers, and whether it is suspended.
struct CreditRecord: DetailedRecord {
  let account: Account
  let currency: String
  let hourlyCost: Money
  /// The hourly cost of its servers once they run again; nil unless it is out of credit.
  let costWhenPaid: Money?

  init(of account: Account, in store: SQLStore) async throws {
    self.account = account
    currency = store.tariff.currency
    hourlyCost = try await store.hourlyCost(of: account.id)
    costWhenPaid =
      account.suspension.outOfCreditSince == nil
      ? nil : try await store.costWhenPaid(of: account.id, at: SystemClock().now)
  }

  static let headings = ["ID", "E-MAIL", "BALANCE", "COST/H"]
  var cells: [String] { ["\(account.id)", account.email, account.balance.decimal, hourlyCost.decimal] }

  var details: [(label: String, value: String?)] {
    let suspension = account.suspension
    return [
      ("ACCOUNT", "\(account.email) (\(account.id))"), ("BALANCE", "\(account.balance.decimal) \(currency)"),
      ("COST OF AN HOUR", "\(hourlyCost.decimal) \(currency)"),
      ("OUT OF CREDIT SINCE", suspension.outOfCreditSince?.displayed),
      ("AN HOUR WHEN IT CAN PAY", costWhenPaid.map { "\($0.decimal) \(currency)" }),
      ("SERVERS ARE DELETED", suspension.deletionAt?.displayed),
      ("SUSPENDED BY THE OPERATOR", suspension.byOperatorSince?.displayed),
      ("REASON", suspension.operatorReason.flatMap { $0.isEmpty ? nil : $0 }),
    ]
  }

  func write(_ writer: inout JSONWriter) {
    writer.field("id", account.id.value)
    writer.field("email", account.email)
    writer.field("balance", text: account.balance)
    writer.field("currency", currency)
    writer.field("hourly_cost", text: hourlyCost)
    writer.field("hourly_cost_when_paid", costWhenPaid?.decimal)
    writer.field("suspended", account.suspension.cause?.rawValue)
    writer.field("out_of_credit_since", account.suspension.outOfCreditSince)
    writer.field("deletion_at", account.suspension.deletionAt)
    writer.field("suspended_by_operator_since", account.suspension.byOperatorSince)
    writer.field("suspension_reason", account.suspension.operatorReason)
  }
}
