import API
import ArgumentParser
import Core
import Engine
import Foundation

struct AccountLoginLink: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "login-link",
    abstract: "Make a link that signs the account's owner in to the panel: once, within ten minutes.")

  @OptionGroup var options: ConfigurationOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "The account's e-mail address or id; may be left out where there is only one.") var account: String?

  @Flag(
    help: "For an owner who has lost them: take password and second factor away, and end all sessions, before.")
  var reset = false

  func run() async throws {
    let configuration = try options.load()
    guard configuration.showsPanel else { throw Refusal.refused(Configuration.noPanel) }
    let store = try await options.openDatabase()
    let account = try await Accounts(store: store).open(named: account)
    let link = try await OperatorAccounts(store: store, clock: SystemClock()).makeLink(
      for: account.id, resetting: reset, by: .host)
    let record = LoginLinkRecord(
      url: link.url(at: base(configuration)), expiresAt: SystemClock().now + Sessions.linkLifetime)
    output.tell(
      "Whoever opens this link within ten minutes is signed in as \(account.email.escaped()), once:\n\n  \(record.url)\n",
      record)
  }

  /// The URL at which people reach the service: the operator's `public_url`, or else the address at which it says that it
  /// listens.
  private func base(_ configuration: Configuration) -> String {
    if let url = configuration.publicURL { return url.description }
    let file = DataDirectory(configuration.dataDirectory).url
    if let text = try? String(contentsOfFile: file, encoding: .utf8) {
      let line = text.prefix { !$0.isNewline }
      if !line.isEmpty { return String(line) }
    }
    return "http://\(configuration.listen.local)"
  }
}

struct LoginLinkRecord: Record {
  let url: String
  let expiresAt: Timestamp

  static let headings = ["URL", "EXPIRES"]

  var cells: [String] { [url, expiresAt.displayed] }

  func write(_ writer: inout JSONWriter) {
    writer.field("url", url)
    writer.field("expires_at", expiresAt)
  }
}
