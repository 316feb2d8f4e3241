import APIClient
import ArgumentParser

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
