import APIClient
import ArgumentParser

struct ServerResetPassword: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reset-password", abstract: "Set another password on a server that runs, and show it this once.",
    discussion: "A server that was made with a key takes no password over SSH, unless you let it; its console does.")

  @OptionGroup var name: ServerName
  @OptionGroup var options: OutputOptions

  func run() async throws {
    let session = try options.session
    let server = try await session.find(.server, name.server, isExact: true)
    let id = server["id"]?.int ?? 0
    let reply = try await session.client.request("POST", "/servers/\(id)/reset-password/").json()
    guard !options.isWhole else { return options.tell("", reply, .server) }
    options.tellPassword(of: reply, Kind.server.title(of: server))
  }
}
