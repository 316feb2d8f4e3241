import ArgumentParser
import Core
import SQLStore

struct AuditCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit", abstract: "List who changed what, and what became of it.")

  @OptionGroup var options: ConfigurationOptions
  @Option(help: "How many of the newest changes.") var last = 100
  @Option(help: "Of this server only, by its id; deleted ones too.") var server: Int64?

  func validate() throws {
    guard (1...1_000_000).contains(last) else { throw ValidationError("--last: 1 to 1000000.") }
  }

  func run() async throws {
    let entries = try await options.openDatabase().auditTrail(newest: last, of: server.map { ID($0) })
    print(Self.table(entries).text)
  }

  static func table(_ entries: [AuditEntry]) -> TextTable {
    var table = TextTable("TIME", "ACCOUNT", "TOKEN", "FROM", "ACTION", "SERVER", "OUTCOME", "DETAIL")
    for entry in entries {
      table.add(
        entry.at.displayed, entry.email ?? "-", entry.tokenID.map { "\($0) (\(entry.tokenName ?? "?"))" } ?? "operator",
        entry.origin ?? "-", entry.action, entry.serverID.map { "\($0)" } ?? "-", entry.outcome?.rawValue ?? "done",
        entry.detail ?? "")
    }
    return table
  }
}
