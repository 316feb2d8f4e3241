import APIClient
import ArgumentParser

struct AccountLedger: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ledger", abstract: "Every change of the balance.")

  @Option(help: "Only what was written in this month, as in 2026-01.") var month: String?
  @OptionGroup var options: OutputOptions

  func run() async throws {
    let query = month.map { [(name: "month", value: $0)] } ?? []
    try await options.list(options.session.client.list(Kind.ledgerEntry.path, query: query), .ledgerEntry)
  }
}
