import ArgumentParser
import Core
import SQLStore

struct ServerShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show all that is known of a server.",
    discussion: "`vpsd audit --server ID` shows what was done to it.")

  @OptionGroup var options: ConfigurationOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "The server's id, uuid or name.") var server: String

  func run() async throws {
    let database = try await options.openDatabase()
    let listing = try await database.server(named: server)
    output.show(ServerRecord(listing: listing, catalogue: try await database.catalogue()))
  }
}
