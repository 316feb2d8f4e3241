import API
import ArgumentParser
import Core
import SQLStore

struct AddressCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "address", abstract: "The addresses of servers, and who had them.",
    subcommands: [List.self, History.self])

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the addresses that were ever given; the others of the pool are free.")

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
      let store = try options.openDatabase()
      try await output.list { (last: AddressRecord?, limit: Int) in
        try await store.addresses(after: last?.address, limit: limit)
      }
    }
  }

  struct History: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Tell who had an address, newest first: for 400 days after they had it.")

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: "An IPv4 address, or an IPv6 one for the network that it is in.") var address: String
    @Option(help: "How many of those who had it.") var last = 100

    func validate() throws {
      guard ServerAddress(address) != nil else { throw ValidationError("\(address.quoted): no IP address.") }
      guard (1...10_000).contains(last) else { throw ValidationError("--last: 1 to 10000.") }
    }

    func run() async throws {
      guard let address = ServerAddress(address) else { return }
      output.list(try await options.openDatabase().tenures(of: address, newest: last))
    }
  }
}

extension AddressRecord: Record {
  static let headings = ["ADDRESS", "LOCATION", "SERVER", "SINCE", "RELEASED"]

  var cells: [String] {
    [
      address.description, location, serverID.map { "\($0)" } ?? "-", assignedAt.displayed,
      releasedAt?.displayed ?? "",
    ]
  }

  func write(_ writer: inout JSONWriter) {
    writer.field("address", address.description)
    writer.field("location", location)
    writer.field("server_id", serverID?.value)
    writer.field("assigned_at", assignedAt)
    writer.field("released_at", releasedAt)
  }
}

extension AddressTenure: Record {
  static let headings = ["FROM", "TO", "SERVER", "NAME", "ACCOUNT"]

  var cells: [String] {
    [assignedAt.displayed, releasedAt?.displayed ?? "now", "\(serverID)", serverName.name, email]
  }

  func write(_ writer: inout JSONWriter) {
    writer.field("assigned_at", assignedAt)
    writer.field("released_at", releasedAt)
    writer.field("server") { writer in
      writer.field("id", serverID.value)
      writer.field("name", serverName.name)
    }
    writer.field("email", email)
  }
}
