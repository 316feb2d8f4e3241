import APIClient
import ArgumentParser

struct SnapshotShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "show", abstract: "Show all of a snapshot.")

  @Argument(help: "The snapshot: its id or uuid, or its name.") var copy: String
  @OptionGroup var options: OutputOptions

  func run() async throws {
    try await options.show(options.session.find(.snapshot, copy), .snapshot)
  }
}
