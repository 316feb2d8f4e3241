import ArgumentParser

struct SSHKeyDelete: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete", abstract: "Delete a key. Servers that have it keep it.", aliases: ["rm"])

  @Argument(help: "The key: its id, uuid or name.", completion: .names(of: .sshKey)) var key: String
  @Flag(name: .shortAndLong, help: "Do not ask for the name.") var yes = false
  @OptionGroup var options: OutputOptions

  func run() async throws {
    try await Deletion(kind: .sshKey).run(key, isConfirmed: yes, options)
  }
}
