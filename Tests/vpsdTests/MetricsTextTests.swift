import Core
import Engine
import Foundation
import Logging
import Testing

@testable import vpsd

@Suite("What programs read of the service")
struct MetricsTextTests {
  @Test("Nothing that stands in a label ends it")
  func labels() {
    var text = MetricsText()
    text.gauge("vpsd_x", "A \\ line\nand another.", [([("host", "a\"} 1\nvpsd_y 2\\")], 0.25)])
    #expect(
      text.text == """
        # HELP vpsd_x A \\\\ line\\nand another.
        # TYPE vpsd_x gauge
        vpsd_x{host="a\\"} 1\\nvpsd_y 2\\\\"} 0.25

        """)
  }

  @Test("The buckets of a histogram add up, and the last one is all")
  func histogram() {
    var histogram = DurationHistogram(bounds: [0.5, 2])
    for seconds in [0.25, 0.25, 1, 8] { histogram.add(.seconds(seconds)) }
    var text = MetricsText()
    text.histogram("vpsd_t_seconds", "T.", [([("a", "b")], histogram)])
    #expect(
      text.text == """
        # HELP vpsd_t_seconds T.
        # TYPE vpsd_t_seconds histogram
        vpsd_t_seconds_bucket{a="b",le="0.5"} 2
        vpsd_t_seconds_bucket{a="b",le="2"} 3
        vpsd_t_seconds_bucket{a="b",le="+Inf"} 4
        vpsd_t_seconds_sum{a="b"} 9.5
        vpsd_t_seconds_count{a="b"} 4

        """)
  }

  @Test("A line of a JSON log is one object, whatever is in it, and forges no field of ours")
  func json() throws {
    let hostile = "\u{1B}[2J\n\"}\u{202E}{\"level\":\"info\" й"
    let line = JSONLogHandler.line(
      .error, hostile, ["path": "\(hostile)", "level": "info", "server": "7"],
      at: Timestamp(millisecondsSinceEpoch: 1_736_519_400_042))
    #expect(line.hasSuffix("}\n") && line.dropLast().unicodeScalars.allSatisfy { !$0.isControl })
    let read = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String])
    #expect(
      read == [
        "time": "2025-01-10T14:30:00.042Z", "level": "error", "message": hostile, "path": hostile, "level_": "info",
        "server": "7",
      ])
    let long = JSONLogHandler.line(
      .info, String(repeating: "a", count: 1_000_000), [:], at: Timestamp(millisecondsSinceEpoch: 0))
    #expect(long.utf8.count < 5000)
    #expect(try JSONSerialization.jsonObject(with: Data(long.utf8)) is [String: String])
  }

  @Test("The figures of this process are those of a process that runs")
  func process() {
    let figures = ProcessFigures.now()
    #expect(figures.cpuSeconds > 0)
    #expect((figures.residentBytes ?? 0) > 1_000_000)
    #expect((figures.openDescriptors ?? 0) >= 3 && (figures.mostDescriptors ?? 0) >= figures.openDescriptors ?? 1)
    #expect((figures.startedAtSeconds ?? 0) > 1_600_000_000)
  }
}
