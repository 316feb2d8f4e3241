import APIClient
import ArgumentParser

struct BackupShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "show", abstract: "Show all of a backup.")

  @Argument(help: "The backup: its id or uuid.") var copy: String
  @OptionGroup var options: OutputOptions

  func run() async throws {
    try await options.show(options.session.find(.backup, copy), .backup)
  }
}
