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
    let title = Kind.server.title(of: server)
    let reply = try await session.answerOnce("/servers/\(id)/reset-password/", body: nil) {
      options.tellOnce($0, title)
    }
    guard !options.isWhole else { return options.tell("", reply, .server) }
    options.tellPassword(of: reply, title)
  }
}
