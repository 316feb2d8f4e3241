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

    func run() async throws {
      let store = try options.openDatabase()
      let headings = TextTable("ADDRESS", "LOCATION", "SERVER", "SINCE", "RELEASED")
      try await PrintedList<AddressRecord>.print(headings) { last, limit in
        try await store.addresses(after: last?.address, limit: limit)
      } _: { table, record in
        table.add(
          record.address.description, record.location, record.serverID.map { "\($0)" } ?? "-",
          record.assignedAt.displayed, record.releasedAt?.displayed ?? "")
      }
    }
  }

  struct History: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Tell who had an address, newest first: for 400 days after they had it.")

    @OptionGroup var options: ConfigurationOptions
    @Argument(help: "An IPv4 address.") var address: String
    @Option(help: "How many of those who had it.") var last = 100

    func validate() throws {
      guard IPv4Address(address) != nil else { throw ValidationError("\(address.quoted): no IPv4 address.") }
      guard (1...10_000).contains(last) else { throw ValidationError("--last: 1 to 10000.") }
    }

    func run() async throws {
      guard let address = IPv4Address(address) else { return }
      var table = TextTable("FROM", "TO", "SERVER", "NAME", "ACCOUNT")
      for tenure in try await options.openDatabase().tenures(of: address, newest: last) {
        table.add(
          tenure.assignedAt.displayed, tenure.releasedAt?.displayed ?? "now", "\(tenure.serverID)",
          tenure.serverName.name, tenure.email)
      }
      print(table.text)
    }
  }
}
