import API
import ArgumentParser
import Core
import SQLStore

struct ReverseNameCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rdns", abstract: "What DNS servers are yet to be told of the names of addresses.",
    subcommands: [List.self, Retry.self])

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the names that wait, with why they were refused; one that the DNS server has is not in it.",
      discussion: "A name that is none here is the default, or is taken away.")

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions
    @Flag(help: "Only those that the DNS server has refused.") var refused = false

    func run() async throws {
      let store = try await options.openDatabase()
      try await output.list { (last: WaitingName?, limit: Int) in
        try await store.waitingNames(areRefused: refused, after: last, limit: limit)
      }
    }
  }

  struct Retry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Have the names that were refused said again now: once the zone is there, or the key is right.")

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
      let record = RetryRecord(count: try await options.openDatabase().retryNames(at: SystemClock().now))
      output.tell("\(record.count) name(s) are said again.", record)
    }
  }
}

extension WaitingName: Record {
  static let headings = ["ADDRESS", "LOCATION", "SERVER", "NAME", "SINCE", "REFUSALS", "NEXT TRY", "LAST FAILURE"]

  var cells: [String] {
    [
      wanted.address.hostAddress.description, wanted.location, wanted.serverID.map { "\($0)" } ?? "-",
      wanted.name?.name ?? "-", since.displayed, "\(attempts)", nextAt.displayed, failure ?? "",
    ]
  }

  func write(_ writer: inout JSONWriter) {
    writer.field("address", wanted.address.hostAddress.description)
    writer.field("location", wanted.location)
    writer.field("server_id", wanted.serverID?.value)
    writer.field("ptr", wanted.name?.name)
    writer.field("since", since)
    writer.field("refusals", attempts)
    writer.field("next_at", nextAt)
    writer.field("failure", failure)
  }
}

private struct RetryRecord: Record {
  let count: Int

  static let headings = ["NAMES"]
  var cells: [String] { ["\(count)"] }
  func write(_ writer: inout JSONWriter) { writer.field("names", count) }
}
