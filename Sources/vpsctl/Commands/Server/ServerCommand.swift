import ArgumentParser

struct ServerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "server", abstract: "Create, look at, change and use servers.",
    subcommands: [
      ServerList.self, ServerCreate.self, ServerShow.self, ServerUpdate.self, ServerDelete.self, ServerStart.self,
      ServerStop.self, ServerReboot.self, ServerPowerOff.self, ServerResize.self, ServerMove.self, ServerRebuild.self,
      ServerSSH.self, ServerSCP.self, ServerConsole.self, ServerMetrics.self, ServerHistory.self, FirewallCommand.self,
      ReverseNameCommand.self, ServerLabel.self, ServerRescue.self, ServerResetPassword.self,
    ])
}
