import Core
import Engine
import HTML

/// The resource usage of a server, as charts.
struct MetricPage {
  private enum Range: String, CaseIterable {
    case hour = "1h"
    case day = "24h"
    case week = "7d"
    case month = "30d"

    var span: Duration {
      switch self {
      case .hour: .seconds(3600)
      case .day: .seconds(86_400)
      case .week: .seconds(7 * 86_400)
      case .month: .seconds(30 * 86_400)
      }
    }

    var phrase: Phrase {
      switch self {
      case .hour: .hours(1)
      case .day: .hours(24)
      case .week: .days(7)
      case .month: .days(30)
      }
    }
  }

  let useCases: UseCases
  let clock: any WallClock

  var routes: [PanelRoute] { [.get("/servers/{id}/metrics", show)] }

  @Sendable private func show(_ visit: Visit) async throws -> Answer {
    let id: ID<Server> = try visit.id()
    let range = visit.query["range"].flatMap { $0.isPlain(atMost: 8) ? Range(rawValue: $0) : nil } ?? .hour
    let (view, _) = try await useCases.servers.read(id, visit.caller)
    let now = clock.now
    let series = try await useCases.metrics.read(
      id, from: now - range.span, to: now, stepSeconds: nil, visit.caller)
    let words = visit.words
    return .page(
      Page(title: view.server.name.name, section: .servers) { html in
        ServerHeader(view: view, tab: .metrics).write(&html, words)
        html.element("nav", ["class": "pages", "aria-label": words(.span)]) { html in
          for each in Range.allCases {
            html.element(
              "a",
              [
                "class": "button", "href": ServerPages.path(id, "/metrics?range=\(each.rawValue)"),
                "aria-current": each == range ? "true" : "false",
              ], text: words(each.phrase))
          }
        }
        html.element("div", ["id": "charts", "class": "charts"], flags: ["data-live"]) { html in
          if series.points.isEmpty { html.element("p", ["class": "hint"], text: words(.nothingMeasured)) }
          for chart in charts(series, view.plan, words) { chart.write(&html, words) }
        }
      })
  }

  private func charts(_ series: Metrics.Series, _ plan: Plan, _ words: Words) -> [Chart] {
    func chart(
      _ title: Phrase, least: Double, _ format: @escaping (Double) -> String,
      _ lines: [(name: Phrase, value: (Metric) -> Double)]
    ) -> Chart {
      Chart(
        title: words(title), start: series.range.start, end: series.range.end, stepSeconds: series.range.stepSeconds,
        lines: lines.map { line in
          Chart.Line(name: words(line.name), points: series.points.map { ($0.at, line.value($0)) })
        }, least: least, format: format)
    }
    return [
      chart(.processor, least: 100, { "\(Self.rounded($0)) %" }, [(.processor, { Double($0.cpuPermille) / 10 })]),
      chart(
        .memory, least: Double(plan.memoryMiB), { "\(Int($0)) MiB" }, [(.memory, { Double($0.memoryMiB) })]),
      chart(
        .disk, least: Double(plan.storageGiB), { "\(Self.rounded($0)) GiB" },
        [(.disk, { Double($0.diskBytes) / Double(1 << 30) })]),
      chart(
        .network, least: 1000, Self.rate,
        [
          (.received, { Double($0.receivedBytesPerSecond) }), (.sent, { Double($0.sentBytesPerSecond) }),
        ]),
    ]
  }

  /// `1.5 kB/s`
  private static func rate(_ bytes: Double) -> String {
    var (value, units) = (bytes, ["B/s", "kB/s", "MB/s", "GB/s"][...])
    while value >= 1000, units.count > 1 {
      value /= 1000
      units = units.dropFirst()
    }
    return "\(rounded(value)) \(units.first ?? "")"
  }

  private static func rounded(_ value: Double) -> String {
    let tenths = (value * 10).rounded()
    guard tenths < 1e15 else { return "\(value)" }
    return Int(tenths) % 10 == 0 ? "\(Int(tenths) / 10)" : "\(Int(tenths) / 10).\(Int(tenths) % 10)"
  }
}
