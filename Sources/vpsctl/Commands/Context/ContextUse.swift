import ArgumentParser

struct ContextUse: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "use", abstract: "Use a context from now on.")

  @Argument(help: "Its name.", completion: .custom { _, _, _ in ContextStore.names() }) var name: String

  func run() async throws {
    _ = try ContextStore.read(name)
    try SecretFile.write(name + "\n", to: ContextStore.folder + "/current")
    Terminal.print("The context \(name) is in use.")
  }
}
