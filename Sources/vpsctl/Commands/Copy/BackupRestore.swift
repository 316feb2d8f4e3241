import APIClient
import ArgumentParser

struct BackupRestore: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore", abstract: "Put a backup in the place of its server's disk: what is on that is lost.")

  @Argument(help: "The backup: its id or uuid.") var copy: String
  @Flag(name: .shortAndLong, help: "Do not ask for the name of the server.") var yes = false
  @OptionGroup var waiting: WaitOptions
  @OptionGroup var options: OutputOptions

  func run() async throws {
    try await DiskCopy(kind: .backup).restore(copy, isConfirmed: yes, options.session, waiting, options)
  }
}
