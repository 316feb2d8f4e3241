import API
import ArgumentParser
import Core
import SQLStore

struct AuditCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit", abstract: "List who changed what, and what became of it.")

  @OptionGroup var options: ConfigurationOptions
  @OptionGroup var output: OutputOptions
  @Option(help: "How many of the newest changes.") var last = 100
  @Option(help: "Of this server only, by its id; deleted ones too.") var server: Int64?

  func validate() throws {
    guard (1...1_000_000).contains(last) else { throw ValidationError("--last: 1 to 1000000.") }
  }

  func run() async throws {
    let entries = try await options.openDatabase().auditTrail(newest: last, of: server.map { ID($0) })
    output.list(entries)
  }
}

extension AuditEntry: Record {
  static let headings = ["TIME", "ACCOUNT", "TOKEN", "FROM", "ACTION", "SERVER", "OUTCOME", "DETAIL"]

  var cells: [String] {
    [
      at.displayed, email ?? "-", tokenID.map { "\($0) (\(tokenName ?? "?"))" } ?? "operator", origin ?? "-", action,
      serverID.map { "\($0)" } ?? "-", outcome?.rawValue ?? "done", detail ?? "",
    ]
  }

  func write(_ writer: inout JSONWriter) {
    writer.field("at", at)
    writer.field("email", email)
    writer.field(named: "token") { writer in
      guard let tokenID else { return writer.null() }
      writer.object { writer in
        writer.field("id", tokenID.value)
        writer.field("name", tokenName)
      }
    }
    writer.field("origin", origin)
    writer.field("action", action)
    writer.field("server_id", serverID?.value)
    writer.field("outcome", outcome?.rawValue ?? "done")
    writer.field("detail", detail)
  }
}
