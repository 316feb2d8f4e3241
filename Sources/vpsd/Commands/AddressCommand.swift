import API
import ArgumentParser
import Core
import Foundation
import SQLStore

struct AddressCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "address", abstract: "The addresses of servers, and who had them.",
    subcommands: [List.self, Add.self, Remove.self, Reserve.self, History.self])

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the addresses that were ever given, or are reserved; the others of the pool are free.")

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
      let configuration = try options.load()
      let (store, rest) = (try await options.openDatabase(of: configuration), configuration.addressRest)
      let now = SystemClock().now
      try await output.list { (last: ListedAddress?, limit: Int) in
        try await store.addresses(after: last?.record.address, limit: limit)
          .map { ListedAddress(record: $0, restsUntil: $0.restsUntil(.seconds(rest), at: now)) }
      }
    }
  }

  struct History: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Tell who had an address, newest first: for 400 days after they had it.")

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: "An IPv4 address, or an IPv6 one for itself or the network that it is in.") var address: String
    @Option(help: "How many of those who had it.") var last = 100

    func validate() throws {
      guard ServerAddress(address) != nil else { throw ValidationError("\(address.quoted): no IP address.") }
      guard (1...10_000).contains(last) else { throw ValidationError("--last: 1 to 10000.") }
    }

    func run() async throws {
      guard let address = ServerAddress(address) else { return }
      let store = try await options.openDatabase()
      let tenures = try await store.tenures(of: address, newest: last)
      output.list(tenures.isEmpty ? try await store.tenures(of: address.enclosing, newest: last) : tenures)
    }
  }
}

private struct ListedAddress: Record {
  let record: AddressRecord
  let restsUntil: Timestamp?

  static let headings = ["ADDRESS", "LOCATION", "SERVER", "SINCE", "RELEASED", "STATE"]

  var cells: [String] {
    [
      record.address.description, record.location, record.serverID.map { "\($0)" } ?? "-", record.assignedAt.displayed,
      record.releasedAt?.displayed ?? "", state,
    ]
  }

  private var state: String {
    let states = [
      record.isLeaving ? "leaving" : nil, record.isReserved ? "reserved" : nil,
      restsUntil.map { "rests until \($0.displayed)" },
    ]
    return states.compactMap(\.self).joined(separator: ", ")
  }

  func write(_ writer: inout JSONWriter) {
    writer.field("address", record.address.description)
    writer.field("location", record.location)
    writer.field("server_id", record.serverID?.value)
    writer.field("assigned_at", record.assignedAt)
    writer.field("released_at", record.releasedAt)
    writer.field("reserved", record.isReserved)
    writer.field("leaving", record.isLeaving)
    writer.field("rests_until", restsUntil)
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
