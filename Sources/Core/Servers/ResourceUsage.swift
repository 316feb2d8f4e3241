/// What a server used, as the customer sees it.
package struct ResourceUsage: Sendable, Equatable {
  /// In tenths of a percent of all vCPUs of the plan, 0 to 1000.
  package let cpuPermille: Int
  package let memoryUsedMiB: Int
  package let diskUsedBytes: Int64
  /// The calendar month that both traffic counters belong to, `202601`.
  package let month: Int
  package let receivedBytes: Int64
  package let sentBytes: Int64
  /// The speed to which it is throttled, in millions of bits a second; nil if it is not.
  package let throttleMbit: Int?

  package init(
    cpuPermille: Int, memoryUsedMiB: Int, diskUsedBytes: Int64, month: Int, receivedBytes: Int64, sentBytes: Int64,
    throttleMbit: Int? = nil
  ) {
    self.cpuPermille = cpuPermille
    self.memoryUsedMiB = memoryUsedMiB
    self.diskUsedBytes = diskUsedBytes
    self.month = month
    self.receivedBytes = receivedBytes
    self.sentBytes = sentBytes
    self.throttleMbit = throttleMbit
  }

  package static let none = ResourceUsage(
    cpuPermille: 0, memoryUsedMiB: 0, diskUsedBytes: 0, month: 0, receivedBytes: 0, sentBytes: 0)

  /// Whole gibibytes, rounded up.
  package var diskUsedGiB: Int { Self.roundedUp(diskUsedBytes, by: 1 << 30) }

  /// The traffic of the direction that has more, in whole gigabytes, rounded up.
  package var bandwidthUsedGB: Int { Self.roundedUp(max(receivedBytes, sentBytes), by: 1_000_000_000) }

  /// Cannot overflow, even for the largest number: a guest may report any.
  private static func roundedUp(_ bytes: Int64, by unit: Int64) -> Int {
    Int(bytes / unit) + (bytes % unit > 0 ? 1 : 0)
  }
}

/// One measurement that is to be added to the stored usage.
package struct UsageSample: Sendable, Equatable {
  package let serverID: ID<Server>
  package let cpuPermille: Int
  package let memoryUsedMiB: Int
  /// Nil if it could not be measured: the stored value stays.
  package let diskUsedBytes: Int64?
  /// Bytes since the machine was started. The store adds the difference to the last sample; a counter that is lower
  /// than the last one has started again from zero.
  package let network: NetworkCounters?
  /// When the server had last been changed, as far as was known when it was measured.
  package let serverUpdatedAt: Timestamp

  package init(
    serverID: ID<Server>, cpuPermille: Int, memoryUsedMiB: Int, diskUsedBytes: Int64?, network: NetworkCounters?,
    serverUpdatedAt: Timestamp
  ) {
    self.serverID = serverID
    self.cpuPermille = cpuPermille
    self.memoryUsedMiB = memoryUsedMiB
    self.diskUsedBytes = diskUsedBytes
    self.network = network
    self.serverUpdatedAt = serverUpdatedAt
  }
}

package struct NetworkCounters: Sendable, Equatable {
  package let receivedBytes: Int64
  package let sentBytes: Int64

  package init(receivedBytes: Int64, sentBytes: Int64) {
    self.receivedBytes = receivedBytes
    self.sentBytes = sentBytes
  }
}
