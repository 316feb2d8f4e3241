import APIClient
import ArgumentParser

struct ServerUpdate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "update",
    abstract: "Change the name, the host name, whether there are daily backups, or whether it can be deleted.")

  @OptionGroup var server: ServerName
  @Option(name: .customLong("name"), help: "The new name.") var newName: String?
  @Option(help: "The new host name.") var hostname: String?
  @Flag(inversion: .prefixedNo, help: "A backup every day, or none.") var backups: Bool?
  @Flag(inversion: .prefixedNo, help: "Let nobody delete or rebuild it, or take that back.") var deleteProtection: Bool?
  @OptionGroup var options: OutputOptions

  func validate() throws {
    guard newName != nil || hostname != nil || backups != nil || deleteProtection != nil else {
      throw ValidationError(
        "Say what to change: --name, --hostname, --backups, --no-backups, --delete-protection or --no-delete-protection."
      )
    }
  }

  func run() async throws {
    let session = try options.session
    let id = try await session.id(.server, server.server, isExact: true)
    var body: JSON = [:]
    body["name"] = newName.map { .string($0) }
    body["hostname"] = hostname.map { .string($0) }
    body["backups_enabled"] = backups.map { .bool($0) }
    body["delete_protection"] = deleteProtection.map { .bool($0) }
    let changed = try await OptionErrors.naming {
      try await session.client.request("PATCH", "/servers/\(id)/", body: body).json()
    }
    options.tell("\(Kind.server.title(of: changed)) is changed.", changed, .server)
  }
}
