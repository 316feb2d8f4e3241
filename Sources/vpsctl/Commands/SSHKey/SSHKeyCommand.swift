import ArgumentParser

struct SSHKeyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ssh-key", abstract: "The public keys that may log in to new servers.",
    subcommands: [SSHKeyList.self, SSHKeyCreate.self, SSHKeyShow.self, SSHKeyDelete.self])
}
