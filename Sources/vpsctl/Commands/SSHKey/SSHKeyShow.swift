import APIClient
import ArgumentParser

struct SSHKeyShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "show", abstract: "Show all of a key.")

  @Argument(help: "The key: its id, uuid or name.", completion: .names(of: .sshKey)) var key: String
  @OptionGroup var options: OutputOptions

  func run() async throws {
    try await options.show(options.session.find(.sshKey, key), .sshKey)
  }
}
