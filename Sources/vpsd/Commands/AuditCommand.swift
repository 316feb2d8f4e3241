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
  @Option(help: "Of this server only, by its id, deleted ones too; or by the uuid or name of one that is there.")
  var server: String?
  @Option(help: "Of this account only, by its e-mail address or id.") var account: String?

  func validate() throws {
    try requireRange(1...1_000_000, last, "--last")
  }

  func run() async throws {
    let database = try await options.openDatabase()
    var filter = AuditFilter()
    if let account { filter.accountID = try await Accounts(store: database).one(named: account).id }
    if let server {
      if case .id(let id)? = Reference<Server>(server) {
        filter.serverID = id
      } else {
        filter.serverID = try await database.server(named: server).server.id
      }
    }
    let wanted = filter
    let beginning = try await database.auditBeginning(newest: last, wanted)
    try await output.list { (last: AuditEntry?, limit: Int) in
      guard let first = last.map({ ID($0.id.value + 1) }) ?? beginning else { return [] }
      return try await database.auditTrail(wanted, from: first, limit: limit)
    }
  }
}

extension AuditEntry: Record {
  static let headings = ["TIME", "ACCOUNT", "TOKEN", "FROM", "ACTION", "SERVER", "OUTCOME", "DETAIL"]

  var cells: [String] {
    [
      at.displayed, email ?? "-", tokenID.map { "\($0) (\(tokenName ?? "?"))\(owner)" } ?? "operator", origin ?? "-",
      action,
      serverID.map { "\($0)" } ?? "-", outcome?.rawValue ?? "done", detail ?? "",
    ]
  }

  /// The token's owner, if that is another account than the entry's: an operator in the panel.
  private var owner: String {
    guard let tokenEmail, email.map({ !$0.utf8.elementsEqual(tokenEmail.utf8) }) ?? true else { return "" }
    return " of \(tokenEmail)"
  }

  func write(_ writer: inout JSONWriter) {
    writer.field("id", id.value)
    writer.field("at", at)
    writer.field("email", email)
    writer.field(named: "token") { writer in
      guard let tokenID else { return writer.null() }
      writer.object { writer in
        writer.field("id", tokenID.value)
        writer.field("name", tokenName)
        writer.field("email", tokenEmail)
      }
    }
    writer.field("origin", origin)
    writer.field("action", action)
    writer.field("server_id", serverID?.value)
    writer.field("outcome", outcome?.rawValue ?? "done")
    writer.field("detail", detail)
  }
}
