import ArgumentParser

@main
struct Vpsd: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vpsd", abstract: "A self-hosted service of virtual private servers.",
    subcommands: [ConfigCommand.self])
}
