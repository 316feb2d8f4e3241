package import Core

/// The recorded usage of servers over time, for their customers.
package struct Metrics: Sendable {
  package static let toRead = Servers.toRead
  package static let mostPoints: Int64 = 500
  private static let standardSpan = Duration.seconds(3600)

  package struct Series: Sendable {
    package let range: MetricRange
    package let points: [Metric]
  }

  private let store: any MetricStore
  private let clock: any WallClock

  package init(store: any MetricStore, clock: any WallClock) {
    self.store = store
    self.clock = clock
  }

  /// - Parameters:
  ///   - end: Now, where it is nil.
  ///   - start: An hour before the end, where it is nil.
  ///   - stepSeconds: Nil for the shortest step that makes no more than `mostPoints`. It is rounded up to a multiple of the
  ///     resolution that is stored for that time.
  package func read(
    _ id: ID<Server>, from start: Timestamp?, to end: Timestamp?, stepSeconds: Int64?, _ caller: Caller
  ) async throws -> Series {
    try caller.require(Self.toRead)
    let range = try range(from: start, to: end, stepSeconds: stepSeconds)
    guard let points = try await store.metrics(of: id, of: caller.accountID, in: range) else { throw Failure.notFound }
    return Series(range: range, points: points)
  }

  private func range(from start: Timestamp?, to end: Timestamp?, stepSeconds: Int64?) throws(Failure) -> MetricRange {
    let now = clock.now
    let end = min(end ?? now, now)
    let start = max(start ?? end - Self.standardSpan, now - Metric.Resolution.quarterHour.retention)
    guard start < end else { throw .invalid(.start, "Enter a time before the end, and no longer ago than 31 days.") }
    if let stepSeconds, !(1...86_400).contains(stepSeconds) {
      throw .invalid(.step, "Enter a number of seconds from 1 to 86400.")
    }
    let span = ((end - start).milliseconds + 999) / 1000
    let wanted = stepSeconds ?? 1
    let isOld = start < now - Metric.Resolution.minute.retention
    let resolution: Metric.Resolution =
      isOld || wanted >= Metric.Resolution.quarterHour.seconds ? .quarterHour : .minute
    let shortest = max(wanted, (span + Self.mostPoints - 1) / (Self.mostPoints - 1))
    let step = (shortest + resolution.seconds - 1) / resolution.seconds * resolution.seconds
    if let stepSeconds, step > (stepSeconds + resolution.seconds - 1) / resolution.seconds * resolution.seconds {
      throw .invalid(.step, "Ensure that there are no more than \(Self.mostPoints) points: enter \(step) or more.")
    }
    return MetricRange(start: start, end: end, stepSeconds: step, resolution: resolution)
  }
}
