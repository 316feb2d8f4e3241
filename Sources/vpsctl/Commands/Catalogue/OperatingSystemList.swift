import APIClient
import ArgumentParser

struct OperatingSystemList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List operating systems.", aliases: ["ls"])

  @OptionGroup var options: OutputOptions

  func run() async throws {
    try await options.list(options.session.client.list(Kind.operatingSystem.path), .operatingSystem)
  }
}
