import ArgumentParser

struct ReverseNameCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rdns", abstract: "What the addresses of a server are called (reverse DNS).",
    subcommands: [ReverseNameList.self, ReverseNameSet.self])

  static func path(_ id: Int) -> String { "/servers/\(id)/rdns/" }
}
