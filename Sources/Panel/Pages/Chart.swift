import Core
import HTML

/// One chart as SVG: lines over time, with a gap where nothing was measured.
struct Chart {
  struct Line {
    let name: String
    let points: [(at: Timestamp, value: Double)]
  }

  let title: String
  let start: Timestamp
  let end: Timestamp
  let stepSeconds: Int64
  let lines: [Line]
  /// The lowest value that the scale must reach.
  let least: Double
  /// Formats a value for display: `23.5 %`.
  let format: (Double) -> String

  private static let (width, height) = (640.0, 180.0)
  /// Room for the labels.
  private static let (left, bottom, top) = (8.0, 24.0, 14.0)

  func write(_ html: inout HTML, _ words: Words) {
    html.element("figure", ["class": "chart"]) { html in
      html.element("figcaption") { html in
        html.element("strong", text: title)
        for (index, line) in lines.enumerated() {
          let last = line.points.last.map { format($0.value) } ?? "–"
          html.element(
            "span", ["class": "legend line-\(index)"], text: lines.count > 1 ? "\(line.name): \(last)" : last)
        }
      }
      html.element(
        "svg",
        ["viewBox": "0 0 \(Int(Self.width)) \(Int(Self.height))", "role": "img", "aria-label": description(words)]
      ) { html in
        grid(&html)
        for (index, line) in lines.enumerated() {
          for piece in pieces(line.points) {
            html.element("polyline", ["class": "line-\(index)", "points": piece], text: "")
          }
        }
        times(&html)
      }
    }
  }

  private var top: Double {
    let largest = lines.flatMap(\.points).map(\.value).max() ?? 0
    return max(least, largest)
  }

  private func description(_ words: Words) -> String {
    let parts = lines.map { line in
      let largest = line.points.map(\.value).max().map(format) ?? words(.noneYet)
      return "\(line.name): \(words(.atMost)) \(largest)"
    }
    return ([title] + parts).joined(separator: ". ")
  }

  private func grid(_ html: inout HTML) {
    for part in [0.0, 0.5, 1.0] {
      let y = Self.text(position(top * part))
      html.element("line", ["class": "rule", "x1": "0", "x2": "\(Int(Self.width))", "y1": y, "y2": y], text: "")
      guard part > 0 else { continue }
      html.element("text", ["x": "0", "y": Self.text(position(top * part) - 3)], text: format(top * part))
    }
  }

  private func times(_ html: inout HTML) {
    let y = Self.text(Self.height - 6)
    for (time, x, anchor) in [(start, 0.0, "start"), (end, Self.width, "end")] {
      html.element(
        "text", ["x": Self.text(x), "y": y, "text-anchor": anchor, "data-time": time.wireFormat], text: Words.time(time)
      )
    }
  }

  /// The points of each piece of a line without a gap.
  private func pieces(_ points: [(at: Timestamp, value: Double)]) -> [String] {
    var pieces: [[String]] = []
    var last: Timestamp?
    for point in points {
      if let last, (point.at - last).milliseconds <= stepSeconds * 2000 {} else { pieces.append([]) }
      last = point.at
      let span = max(1, (end - start).milliseconds)
      let share = Double((point.at - start).milliseconds) / Double(span)
      let x = Self.left + (Self.width - 2 * Self.left) * min(1, max(0, share))
      pieces[pieces.count - 1].append("\(Self.text(x)),\(Self.text(position(point.value)))")
    }
    // A single point is a line of no length, which is drawn as a dot.
    return pieces.map { ($0.count == 1 ? $0 + $0 : $0).joined(separator: " ") }
  }

  private func position(_ value: Double) -> Double {
    let room = Self.height - Self.bottom - Self.top
    return Self.top + room * (1 - (top > 0 ? min(1, value / top) : 0))
  }

  /// With one decimal.
  private static func text(_ number: Double) -> String {
    let tenths = Int((number * 10).rounded())
    return "\(tenths / 10).\(abs(tenths % 10))"
  }
}
