import ArgumentParser

@main
struct Vpsd: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vpsd", abstract: "A self-hosted service of virtual private servers.",
    subcommands: [
      Serve.self, Shutdown.self, TokenCommand.self, AccountCommand.self, ServerCommand.self, HostCommand.self,
      ImageCommand.self,
      AuditCommand.self, Check.self, BackupState.self, RestoreState.self, ConfigCommand.self,
    ])

  /// As any command's `main`, with every error in a sentence.
  static func main() async {
    do {
      var command = try parseAsRoot()
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch {
      exit(withError: Worded.error(error))
    }
  }
}
