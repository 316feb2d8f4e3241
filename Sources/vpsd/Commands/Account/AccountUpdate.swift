import ArgumentParser
import Core
import Engine

struct AccountUpdate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "update",
    abstract: """
      Say who an account belongs to, whether its servers may mail, and whether it is an operator's; what is left out stays as it is.
      """)

  @OptionGroup var options: ConfigurationOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "The account's e-mail address or id.") var account: String
  @Option(help: "Its new e-mail address.") var email: String?
  @OptionGroup var profile: ProfileOptions
  @Option(
    help: ArgumentHelp(
      "Whether its servers may open connections to TCP port 25 where others' may not.", valueName: "yes|no"))
  var smtpOutbound: YesOrNo?
  @Flag(
    inversion: .prefixedNo,
    help: """
      Whether whoever is signed in to it sees the operator's pages of the panel. Its tokens get no more rights. An account that \
      becomes an operator's is signed out everywhere and loses its password and second factor: make a link then.
      """)
  var `operator`: Bool?

  func validate() throws {
    if let email, !Account.isPossible(email: email) {
      throw ValidationError("--email: \(email.quoted): no e-mail address.")
    }
  }

  func run() async throws {
    let store = try await options.openStore()
    let account = try await Accounts(store: store).open(named: account)
    var change = profile.change
    change.email = email
    change.mayMail = smtpOutbound.map { $0 == .yes }
    change.isOperator = `operator`
    let changed = try await OperatorAccounts(store: store, clock: SystemClock()).update(account.id, change, by: .host)
    output.tell(
      "Account \(changed.id), \(changed.email.escaped()), is changed."
        + (changed.isOperator && !account.isOperator ? Self.promotionNote(changed.id) : ""),
      AccountRecord(account: changed))
  }

  private static func promotionNote(_ id: ID<Account>) -> String {
    "\nIt is an operator's now: it is signed out everywhere, and its password and second factor are gone. For its owner: vpsd account "
      + "login-link \(id)"
  }
}

enum YesOrNo: String, ExpressibleByArgument, CaseIterable {
  case yes, no
}
