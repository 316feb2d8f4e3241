import APIClient
import ArgumentParser

struct ServerDelete: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete", abstract: "Delete a server for good, with its disk and its copies.", aliases: ["rm"])

  @OptionGroup var name: ServerName
  @Flag(name: .shortAndLong, help: "Do not ask for the name.") var yes = false
  @OptionGroup var options: OutputOptions

  func run() async throws {
    let session = try options.session
    let server = try await session.find(.server, name.server, isExact: true)
    try Session.confirm(
      "\(Kind.server.title(of: server)) is deleted for good, with its disk and its copies.",
      by: Kind.server.name(of: server), isConfirmed: yes)
    _ = try await session.client.request("DELETE", "/servers/\(server["id"]?.int ?? 0)/")
    if options.output == .table { Terminal.print("\(Kind.server.title(of: server)) is deleted.".escapedForTerminal) }
    if options.output == .name { Terminal.print(Kind.server.name(of: server).escapedForTerminal) }
    Login.forget(server)
  }
}
