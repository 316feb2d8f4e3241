import ArgumentParser
import Core
import SQLStore

extension ServerCommand {
  struct Suspend: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shut a server down and keep it off. Its customer can delete it, and nothing else.")

    @OptionGroup var options: ConfigurationOptions
    @Argument(help: "The server's id.") var id: Int64
    @Option(help: "Why; it is kept with the server and in the audit trail.") var reason = ""

    func validate() throws { try requireReason(reason) }

    func run() async throws {
      try await options.suspend(server: id, because: reason)
      print("Server \(id) is suspended. It is shut down within seconds.")
    }
  }

  struct Resume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lift what `server suspend` did: the server becomes what it was, unless its account is suspended.")

    @OptionGroup var options: ConfigurationOptions
    @Argument(help: "The server's id.") var id: Int64

    func run() async throws {
      try await options.suspend(server: id, because: nil)
      print("Server \(id) is suspended by the operator no more.")
    }
  }
}

extension ConfigurationOptions {
  fileprivate func suspend(server id: Int64, because reason: String?) async throws {
    guard try await openDatabase().suspend(server: ID(id), because: reason, at: SystemClock().now) else {
      throw ValidationError("There is no server \(id).")
    }
  }
}
