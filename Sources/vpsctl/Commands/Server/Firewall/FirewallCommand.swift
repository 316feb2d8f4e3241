import ArgumentParser

struct FirewallCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "firewall", abstract: "What may come in to a server, and go out.",
    subcommands: [
      FirewallShow.self, FirewallEnable.self, FirewallDisable.self, FirewallAddRule.self, FirewallDeleteRule.self,
    ])
}
