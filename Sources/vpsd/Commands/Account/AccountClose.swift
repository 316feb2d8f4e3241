import ArgumentParser
import Core

struct AccountClose: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "close", abstract: "Close an account for good.",
    discussion: """
      Its tokens are revoked, its SSH keys removed, its e-mail address and names erased; the address can open another account. \
      The ledger and the audit trail stay, and so does what is left of its balance.
      """)

  @OptionGroup var options: ConfigurationOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "The account's e-mail address or id.") var account: String
  @Flag(help: "Delete its servers, with their disks, backups and snapshots; refused while there are any, if left out.")
  var deleteServers = false

  func run() async throws {
    let store = try await options.openStore()
    let account = try await Accounts(store: store).open(named: account)
    let closed = try await store.closeAccount(account.id, deletingServers: deleteServers, at: SystemClock().now)
    guard let closed else { throw Refusal.refused("The account \(account.id) is closed already.") }
    let balance = closed.balance == .zero ? "" : " Its balance of \(closed.balance.decimal) stays in the ledger."
    output.tell("The account \(closed.id) is closed.\(balance)", AccountRecord(account: closed))
  }
}
