import APIClient
import ArgumentParser

struct OperatingSystemCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "os", abstract: "The operating systems that there are.",
    subcommands: [OperatingSystemList.self, OperatingSystemShow.self])
}

struct OperatingSystemList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List operating systems.", aliases: ["ls"])

  @OptionGroup var options: OutputOptions

  func run() async throws {
    try await options.list(options.session.client.list(Kind.operatingSystem.path), .operatingSystem)
  }
}

struct OperatingSystemShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "show", abstract: "Show all of one.")

  @Argument(help: "Its id or name.", completion: .names(of: .operatingSystem)) var name: String
  @OptionGroup var options: OutputOptions

  func run() async throws {
    try await options.show(options.session.find(.operatingSystem, name), .operatingSystem)
  }
}
