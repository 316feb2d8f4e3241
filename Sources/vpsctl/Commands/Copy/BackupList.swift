import APIClient
import ArgumentParser

struct BackupList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "List backups.", aliases: ["ls"])

  @Option(help: "Only those of this server.", completion: .names(of: .server)) var server: String?
  @Option(name: .customLong("type"), help: "Only manual or automatic ones.") var backupType: String?
  @OptionGroup var options: OutputOptions

  func run() async throws {
    let session = try options.session
    var query: [(name: String, value: String)] = []
    if let server { query.append(("server_id", String(try await session.id(.server, server)))) }
    if let backupType { query.append(("backup_type", backupType)) }
    try await options.list(session.client.list(Kind.backup.path, query: query), .backup)
  }
}
