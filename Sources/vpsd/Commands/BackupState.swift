import ArgumentParser
import Core
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
    let copy = StateCopy(
      store: try await options.openDatabase(), directory: DataDirectory(configuration.dataDirectory))
    switch try await copy.write(to: file) {
    case .written:
      let key = StateCopy.keyPath(beside: file)
      print("The state is in \(file.escaped()), and what opens the user data in it in \(key.escaped()).")
    case .none:
      print("The state is in \(file.escaped()).")
    case .unfit(let fault):
      print("The state is in \(file.escaped()).")
      throw DataDirectory.Unfit(description: "The key is not beside it. \(fault)")
    }
  }
}
