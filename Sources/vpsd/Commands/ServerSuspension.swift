import ArgumentParser
import Core
import Engine
import SQLStore

extension ServerCommand {
  struct Suspend: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract:
        "Shut a server down and keep it off. Its customer can rename or delete it, and delete its copies, but not run it."
    )

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: "The server's id, uuid or name.") var server: String
    @Option(help: "Why; it is kept with the server and in the audit trail.") var reason = ""

    func validate() throws { try requireReason(reason) }

    func run() async throws {
      let record = try await options.suspend(server, because: reason)
      output.tell("Server \(record.listing.server.id) is suspended. It is shut down within seconds.", record)
    }
  }

  struct Resume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lift what `server suspend` did: the server becomes what it was, unless its account is suspended.")

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: "The server's id, uuid or name.") var server: String

    func run() async throws {
      let record = try await options.suspend(server, because: nil)
      output.tell("Server \(record.listing.server.id) is suspended by the operator no more.", record)
    }
  }
}

extension ConfigurationOptions {
  fileprivate func suspend(_ name: String, because reason: String?) async throws -> ServerRecord {
    let database = try await openDatabase()
    let id = try await database.server(named: name).server.id
    try await OperatorServers(store: database, clock: SystemClock()).suspend(id, because: reason, by: .host)
    return ServerRecord(
      listing: try await database.server(named: id.description), catalogue: try await database.catalogue())
  }
}
