/// Counts durations in buckets, so that its size does not depend on their number.
package struct DurationHistogram: Sendable, Equatable {
  /// In seconds, ascending.
  package let bounds: [Double]
  /// For each bound, the durations above the one before and up to it; at the end, those above the last bound.
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

  /// Adds the counts of another histogram with the same bounds.
  package mutating func merge(_ other: DurationHistogram) {
    for (index, count) in other.counts.enumerated() where index < counts.count { counts[index] += count }
    sum += other.sum
  }
}

extension Duration {
  package var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
