import APIClient
import ArgumentParser

struct AccountShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "The account, its balance, and what the token may do.")

  @OptionGroup var options: OutputOptions

  func run() async throws {
    let me = try await options.session.get("/account/me/")
    if options.output == .name { return Terminal.print(Kind.account.name(of: me["account"] ?? me).escapedForTerminal) }
    try options.show(me, .account)
  }
}
