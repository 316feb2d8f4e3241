import ArgumentParser

struct OperatingSystemCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "os", abstract: "The operating systems that there are.",
    subcommands: [OperatingSystemList.self, OperatingSystemShow.self])
}
