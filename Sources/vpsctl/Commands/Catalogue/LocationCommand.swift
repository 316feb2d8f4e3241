import ArgumentParser

struct LocationCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "location", abstract: "The locations that there are.",
    subcommands: [LocationList.self, LocationShow.self])
}
