import Engine

/// Metrics in the text format of Prometheus, version 0.0.4.
struct MetricsText {
  typealias Labels = [(name: String, value: String)]

  static let mediaType = "text/plain; version=0.0.4; charset=utf-8"

  private(set) var text = ""

  /// A value that can go up and down.
  mutating func gauge(_ name: String, _ help: String, _ samples: [(Labels, Double)]) {
    family(name, "gauge", help)
    for (labels, value) in samples { line(name, labels, value) }
  }

  /// A value that only increases until the process ends.
  mutating func counter(_ name: String, _ help: String, _ samples: [(Labels, Double)]) {
    family(name, "counter", help)
    for (labels, value) in samples { line(name, labels, value) }
  }

  mutating func histogram(_ name: String, _ help: String, _ samples: [(Labels, DurationHistogram)]) {
    family(name, "histogram", help)
    for (labels, histogram) in samples {
      var count = 0
      for (index, bound) in histogram.bounds.enumerated() {
        count += histogram.counts[index]
        line("\(name)_bucket", labels + [("le", Self.number(bound))], Double(count))
      }
      line("\(name)_bucket", labels + [("le", "+Inf")], Double(histogram.total))
      line("\(name)_sum", labels, histogram.sum.inSeconds)
      line("\(name)_count", labels, Double(histogram.total))
    }
  }

  private mutating func family(_ name: String, _ kind: String, _ help: String) {
    text += "# HELP \(name) \(Self.escaped(help))\n# TYPE \(name) \(kind)\n"
  }

  private mutating func line(_ name: String, _ labels: Labels, _ value: Double) {
    text += name
    if !labels.isEmpty {
      text +=
        "{" + labels.map { "\($0.name)=\"\(Self.escaped($0.value, alsoQuotes: true))\"" }.joined(separator: ",") + "}"
    }
    text += " \(Self.number(value))\n"
  }

  /// Writes whole numbers without a decimal point.
  private static func number(_ value: Double) -> String {
    value.isFinite && value == value.rounded() && value.magnitude < 1e15 ? String(Int64(value)) : "\(value)"
  }

  private static func escaped(_ text: String, alsoQuotes: Bool = false) -> String {
    let text = text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
    return alsoQuotes ? text.replacing("\"", with: "\\\"") : text
  }
}
