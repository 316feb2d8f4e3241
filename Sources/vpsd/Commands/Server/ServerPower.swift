import ArgumentParser
import Core
import Engine
import SQLStore

struct ServerStart: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "start", abstract: "Start a server, as its customer could.")

  @OptionGroup var options: ConfigurationOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "The server's id, uuid or name.") var server: String

  func run() async throws {
    try await options.perform(.start, on: server, output) { "The server \($0) is starting." }
  }
}

struct ServerStop: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stop", abstract: "Shut a server down gracefully, as its customer could.",
    discussion: "Its customer can start it again.")

  @OptionGroup var options: ConfigurationOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "The server's id, uuid or name.") var server: String
  @Flag(help: "Take its power away at once.") var hard = false

  func run() async throws {
    try await options.perform(hard ? .hardStop : .stop, on: server, output) { "The server \($0) is stopping." }
  }
}

struct ServerDelete: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete", abstract: "Delete a server for good, with its disk, backups and snapshots.")

  @OptionGroup var options: ConfigurationOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "The server's id, uuid or name.") var server: String

  func run() async throws {
    let database = try await options.openDatabase()
    let found = try await database.server(named: server)
    try await OperatorServers(store: database, clock: SystemClock()).delete(found.server.id, by: .host)
    try await options.tell("The server \(found.server.id) is being deleted.", found.server.id, database, output)
  }
}

extension ConfigurationOptions {
  fileprivate func perform(
    _ action: PowerAction, on server: String, _ output: OutputOptions, _ sentence: (ID<Server>) -> String
  ) async throws {
    let database = try await openDatabase()
    let id = try await database.server(named: server).server.id
    try await OperatorServers(store: database, clock: SystemClock()).perform(action, on: id, by: .host)
    try await tell(sentence(id), id, database, output)
  }

  /// Prints the result. A queued operation is carried out by the running service.
  fileprivate func tell(
    _ sentence: String, _ id: ID<Server>, _ database: SQLStore, _ output: OutputOptions
  ) async throws {
    let isServed = ProcessLock.isServed(path: DataDirectory(try load().dataDirectory).lock)
    guard let listing = try await database.serverListing(.id(id)) else {
      // The service has deleted the server already.
      return print(output.isJSON ? "{\"id\":\(id)}" : sentence)
    }
    output.tell(
      sentence + (isServed ? "" : " That begins when the service runs."),
      ServerRecord(listing: listing, catalogue: try await database.catalogue()))
  }
}
