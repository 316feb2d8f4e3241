import APIClient
import ArgumentParser

struct SnapshotDelete: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete", abstract: "Delete a snapshot for good.", aliases: ["rm"])

  @Argument(help: "The snapshot: its id or uuid, or its name.") var copy: String
  @Flag(name: .shortAndLong, help: "Do not ask.") var yes = false
  @OptionGroup var options: OutputOptions

  func run() async throws {
    try await Deletion(kind: .snapshot).run(copy, isConfirmed: yes, options)
  }
}
