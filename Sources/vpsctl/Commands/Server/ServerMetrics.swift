import APIClient
import ArgumentParser

struct ServerMetrics: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "metrics", abstract: "What a server used over time: processor, memory, disk and network.")

  enum Kinds: String, ExpressibleByArgument, CaseIterable {
    case cpu, memory, disk, network
  }

  @OptionGroup var name: ServerName
  @Option(help: ArgumentHelp("From when on, as in 2026-01-31T10:00:00Z; an hour ago, if left out.", valueName: "time"))
  var start: String?
  @Option(help: ArgumentHelp("Until when; now, if left out.", valueName: "time")) var end: String?
  @Option(help: ArgumentHelp("How many seconds a row stands for.", valueName: "seconds")) var step: Int?
  @Option(name: .customLong("type"), help: "Which; may be given several times. All, if left out.") var kinds: [Kinds] =
    []
  @OptionGroup var options: OutputOptions

  func run() async throws {
    let session = try options.session
    let id = try await session.id(.server, name.server)
    var query: [(name: String, value: String)] = []
    if !kinds.isEmpty { query.append(("type", kinds.map(\.rawValue).joined(separator: ","))) }
    if let start { query.append(("start", start)) }
    if let end { query.append(("end", end)) }
    if let step { query.append(("step", String(step))) }
    let metrics = try await session.get("/servers/\(id)/metrics/", query: query)
    if options.isWhole { return try options.show(metrics, .metric) }
    try options.list(Self.rows(metrics), .metric)
  }

  /// One row for each time, with all values measured at that time.
  private static func rows(_ metrics: JSON) -> [JSON] {
    var rows: [Int: [(name: String, value: JSON)]] = [:]
    for series in metrics["time_series"]?.members ?? [] {
      for point in series.value["values"]?.array ?? [] {
        guard let pair = point.array, pair.count == 2, let time = pair[0].int else { continue }
        rows[time, default: [("at", .number(String(time)))]].append(
          (series.name.replacing(".", with: "_"), pair[1]))
      }
    }
    return rows.sorted { $0.key < $1.key }.map { .object($0.value.map { .init($0.name, $0.value) }) }
  }
}
