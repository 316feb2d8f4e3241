import APIClient
import ArgumentParser

struct SSHKeyList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "List keys.", aliases: ["ls"])

  @OptionGroup var options: OutputOptions

  func run() async throws {
    try await options.list(options.session.client.list(Kind.sshKey.path), .sshKey)
  }
}
