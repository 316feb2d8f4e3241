/// What a server used, as the customer sees it.
package struct ResourceUsage: Sendable, Equatable {
  /// Tenths of a percent of the whole plan, 0 to 1000.
  package let cpuPermille: Int
  package let memoryUsedMiB: Int
  package let diskUsedBytes: Int64
  /// The calendar month that the two counters belong to, `202601`.
  package let month: Int
  package let receivedBytes: Int64
  package let sentBytes: Int64
  /// To which it is held back, in millions of bits a second; nil as long as it is not.
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

  /// The larger of both directions in whole gigabytes, rounded up.
  package var bandwidthUsedGB: Int { Self.roundedUp(max(receivedBytes, sentBytes), by: 1_000_000_000) }

  /// For any figure: a guest may tell the largest there is.
  private static func roundedUp(_ bytes: Int64, by unit: Int64) -> Int {
    Int(bytes / unit) + (bytes % unit > 0 ? 1 : 0)
  }
}

/// One measurement, to be added to what is stored.
package struct UsageSample: Sendable, Equatable {
  package let serverID: ID<Server>
  package let cpuPermille: Int
  package let memoryUsedMiB: Int
  /// Nil where it could not be measured: what is stored stays.
  package let diskUsedBytes: Int64?
  /// Bytes since this boot. The store adds what came since the last sample; a counter below the last one began anew.
  package let network: NetworkCounters?

  package init(
    serverID: ID<Server>, cpuPermille: Int, memoryUsedMiB: Int, diskUsedBytes: Int64?, network: NetworkCounters?
  ) {
    self.serverID = serverID
    self.cpuPermille = cpuPermille
    self.memoryUsedMiB = memoryUsedMiB
    self.diskUsedBytes = diskUsedBytes
    self.network = network
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
