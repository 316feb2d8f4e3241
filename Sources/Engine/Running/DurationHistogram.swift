/// How many of something took how long: what a graph of its slowest needs to know, whatever their number.
package struct DurationHistogram: Sendable, Equatable {
  /// In seconds, ascending.
  package let bounds: [Double]
  /// How many took no longer than a bound, and longer than the one before; at the end those beyond the last.
  package private(set) var counts: [Int]
  package private(set) var sum = Duration.zero

  package init(bounds: [Double]) {
    self.bounds = bounds
    counts = Array(repeating: 0, count: bounds.count + 1)
  }

  package var total: Int { counts.reduce(0, +) }

  package mutating func add(_ duration: Duration) {
    let duration = max(duration, .zero)
    let seconds = duration.inSeconds
    counts[bounds.firstIndex { seconds <= $0 } ?? bounds.count] += 1
    sum += duration
  }

  /// Takes over what another one of the same bounds has counted.
  package mutating func merge(_ other: DurationHistogram) {
    for (index, count) in other.counts.enumerated() where index < counts.count { counts[index] += count }
    sum += other.sum
  }
}

extension Duration {
  package var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
