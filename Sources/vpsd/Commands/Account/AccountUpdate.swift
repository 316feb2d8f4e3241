import ArgumentParser
import Core

struct AccountUpdate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "update",
    abstract: "Say who an account belongs to, and whether its servers may mail; what is left out stays as it is.")

  @OptionGroup var options: ConfigurationOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "The account's e-mail address or id.") var account: String
  @Option(help: "Its new e-mail address.") var email: String?
  @OptionGroup var profile: ProfileOptions
  @Option(
    help: ArgumentHelp(
      "Whether its servers may open connections to TCP port 25 where others' may not.", valueName: "yes|no"))
  var smtpOutbound: YesOrNo?

  func validate() throws {
    if let email, !AccountCreate.isAddress(email) {
      throw ValidationError("--email: \(email.quoted): no e-mail address.")
    }
  }

  func run() async throws {
    let store = try options.openStore()
    let account = try await Accounts(store: store).open(named: account)
    var change = profile.change
    change.email = email
    change.mayMail = smtpOutbound.map { $0 == .yes }
    guard try await store.updateProfile(of: account.id, change, at: SystemClock().now),
      let changed = try await store.account(account.id)
    else { throw Refusal.refused("The account \(account.id) was closed.") }
    output.tell("Account \(changed.id), \(changed.email.escaped()), is changed.", AccountRecord(account: changed))
  }
}

enum YesOrNo: String, ExpressibleByArgument, CaseIterable {
  case yes, no
}
