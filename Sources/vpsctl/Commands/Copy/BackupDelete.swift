import APIClient
import ArgumentParser

struct BackupDelete: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete", abstract: "Delete a backup for good.", aliases: ["rm"])

  @Argument(help: "The backup: its id or uuid.") var copy: String
  @Flag(name: .shortAndLong, help: "Do not ask.") var yes = false
  @OptionGroup var options: OutputOptions

  func run() async throws {
    try await Deletion(kind: .backup).run(copy, isConfirmed: yes, options)
  }
}
