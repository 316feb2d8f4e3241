import ArgumentParser
import Core
import Engine
import Foundation
import SQLStore

struct BackupState: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup-state", abstract: "Copy the database into a new file, while the service runs or not.",
    discussion: """
      The copy holds everything that vpsd knows, the hashes of tokens included, and only its owner can read it. It holds no \
      disks of servers. What opens the user data that is sealed in it is written beside it, as FILE.key. An existing file is \
      never overwritten.
      """)

  @OptionGroup var options: ConfigurationOptions
  @Argument(help: "The file to write.") var file: String

  func run() async throws {
    let configuration = try options.load()
    try configuration.requireFile("vpsd backup-state")
    let directory = DataDirectory(configuration.dataDirectory)
    let database = try await options.openDatabase()
    let key: InstallationKey?
    do {
      key = try DataDirectory.key(at: directory.secretKey)
    } catch let fault as DataDirectory.Unfit {
      // The state is not to be lost for it.
      try await database.backUp(to: file)
      print("The state is in \(file.escaped()).")
      throw DataDirectory.Unfit(description: "The key is not beside it. \(fault)")
    }
    try await database.backUp(to: file)
    guard let key else { return print("The state is in \(file.escaped()).") }
    do {
      try DataDirectory.copy(key, to: "\(file).key")
    } catch {
      unlink(file)
      throw error
    }
    print("The state is in \(file.escaped()), and what opens the user data in it in \("\(file).key".escaped()).")
  }
}
