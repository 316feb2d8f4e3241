import APIClient
import ArgumentParser

struct AccountUsage: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "usage", abstract: "What each server cost in a month.")

  @Option(help: "The month, as in 2026-01; this one, if left out.") var month: String?
  @OptionGroup var options: OutputOptions

  func run() async throws {
    let session = try options.session
    var usage: JSON = .null
    var servers: [JSON] = []
    var page = 1
    repeat {
      var query: [(name: String, value: String)] = month.map { [("month", $0)] } ?? []
      if page > 1 { query.append(("page", String(page))) }
      usage = try await session.get(Kind.serverCost.path, query: query)
      servers += usage["servers"]?.array ?? []
      page += 1
    } while usage["next"]?.string != nil
    usage["servers"] = .array(servers)
    for name in ["count", "next", "previous"] { usage[name] = nil }
    switch options.output {
    case .json, .yaml: try options.show(usage, .serverCost)
    case .name: try options.list(servers, .serverCost)
    case .table:
      try options.list(servers, .serverCost)
      let total = [usage["total"], usage["currency"]].compactMap { $0?.string }.joined(separator: " ")
      Terminal.tell("\(usage["month"]?.string ?? ""): \(total)".escapedForTerminal)
    }
  }
}
