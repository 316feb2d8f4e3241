import APIClient
import ArgumentParser

struct SSHKeyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ssh-key", abstract: "The public keys that may log in to new servers.",
    subcommands: [SSHKeyList.self, SSHKeyCreate.self, SSHKeyShow.self, SSHKeyDelete.self])
}

struct SSHKeyList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "List keys.", aliases: ["ls"])

  @OptionGroup var options: OutputOptions

  func run() async throws {
    try await options.list(options.session.client.list(Kind.sshKey.path), .sshKey)
  }
}

struct SSHKeyCreate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Register a public key.", aliases: ["add"])

  @Option(help: "Its name; the comment of the key, if left out.") var name: String?
  @Argument(help: "The file with the public key, as in ~/.ssh/id_ed25519.pub.", completion: .file()) var file: String
  @OptionGroup var options: OutputOptions

  func run() async throws {
    guard let key = try PublicKeyFile(file) else { throw Refusal(.notFound, "There is no file \(file).") }
    let body: JSON = ["name": .string(name ?? key.name), "public_key": .string(key.text)]
    let session = try options.session
    let made = try await OptionErrors.naming {
      try await session.client.request("POST", Kind.sshKey.path, body: body).json()
    }
    options.tell("The SSH key \(Kind.sshKey.title(of: made)) is registered.", made, .sshKey)
  }
}

struct SSHKeyShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "show", abstract: "Show all of a key.")

  @Argument(help: "The key: its id, uuid or name.", completion: .names(of: .sshKey)) var key: String
  @OptionGroup var options: OutputOptions

  func run() async throws {
    try await options.show(options.session.find(.sshKey, key), .sshKey)
  }
}

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
