import ArgumentParser

@main
struct Vpsd: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vpsd", abstract: "A self-hosted service of virtual private servers.",
    subcommands: [
      Serve.self, Shutdown.self, TokenCommand.self, AccountCommand.self, ServerCommand.self, ImageCommand.self,
      AuditCommand.self, Check.self, BackupState.self, RestoreState.self, ConfigCommand.self,
    ])
}
