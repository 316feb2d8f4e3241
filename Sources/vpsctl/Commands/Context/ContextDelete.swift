import ArgumentParser
import Glibc

struct ContextDelete: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete", abstract: "Forget a context, and the token in it.", aliases: ["rm"])

  @Argument(help: "Its name.", completion: .custom { _, _, _ in ContextStore.names() }) var name: String

  func run() async throws {
    try ContextStore.requireName(name)
    guard unlink(ContextStore.path(name)) == 0 else { throw Refusal(.notFound, "There is no context \(name).") }
    if try SecretFile.read(ContextStore.folder + "/current")?.trimmed == name {
      unlink(ContextStore.folder + "/current")
    }
    Terminal.print("The context \(name) is forgotten.")
  }
}
