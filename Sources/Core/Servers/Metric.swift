/// The average use of a server over one span of time.
package struct Metric: Sendable, Equatable {
  /// The spans that are stored, and for how long: a minute for 25 hours, a quarter of an hour for 31 days.
  package enum Resolution: Int, Sendable, CaseIterable {
    case minute = 60
    case quarterHour = 900

    package var seconds: Int64 { Int64(rawValue) }
    package var span: Duration { .seconds(rawValue) }
    package var retention: Duration {
      switch self {
      case .minute: .seconds(25 * 3600)
      case .quarterHour: .seconds(31 * 86_400)
      }
    }
  }

  /// When the span began.
  package let at: Timestamp
  /// In tenths of a percent of all vCPUs of the plan, 0 to 1000.
  package let cpuPermille: Int64
  package let memoryMiB: Int64
  package let diskBytes: Int64
  package let receivedBytesPerSecond: Int64
  package let sentBytesPerSecond: Int64

  package init(
    at: Timestamp, cpuPermille: Int64, memoryMiB: Int64, diskBytes: Int64, receivedBytesPerSecond: Int64,
    sentBytesPerSecond: Int64
  ) {
    self.at = at
    self.cpuPermille = cpuPermille
    self.memoryMiB = memoryMiB
    self.diskBytes = diskBytes
    self.receivedBytesPerSecond = receivedBytesPerSecond
    self.sentBytesPerSecond = sentBytesPerSecond
  }
}

/// The time range of the metrics that are requested, and the length of its steps.
package struct MetricRange: Sendable, Equatable {
  package let start: Timestamp
  package let end: Timestamp
  /// A multiple of the resolution.
  package let stepSeconds: Int64
  package let resolution: Metric.Resolution

  package init(start: Timestamp, end: Timestamp, stepSeconds: Int64, resolution: Metric.Resolution) {
    self.start = start
    self.end = end
    self.stepSeconds = stepSeconds
    self.resolution = resolution
  }
}
