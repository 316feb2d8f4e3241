import ArgumentParser
import Core
import Foundation
import SQLStore

struct BackupState: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup-state", abstract: "Copy the database into a new file, while the service runs or not.",
    discussion: """
      The copy holds everything that vpsd knows, the hashes of tokens included, and only its owner can read it. It holds no \
      disks of servers. An existing file is never overwritten.
      """)

  @OptionGroup var options: ConfigurationOptions
  @Argument(help: "The file to write.") var file: String

  func run() async throws {
    let database = try options.openDatabase()
    try await database.backUp(to: file)
    print("The state is in \(file.escaped()).")
  }
}
