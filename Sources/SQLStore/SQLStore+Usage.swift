package import Core

extension SQLStore {
  package func usage(of id: ID<Server>) async throws -> ResourceUsage? {
    try await read { database in
      guard let usage = try database.storedUsage(of: id)?.usage else { return nil }
      let throttle = try database.value(Int.self, "SELECT speed_mbit FROM server_throttle WHERE server_id = ?", [id])
      return ResourceUsage(
        cpuPermille: usage.cpuPermille, memoryUsedMiB: usage.memoryUsedMiB, diskUsedBytes: usage.diskUsedBytes,
        month: usage.month, receivedBytes: usage.receivedBytes, sentBytes: usage.sentBytes, throttleMbit: throttle)
    }
  }

  package func recordUsage(_ samples: [UsageSample], at now: Timestamp) async throws {
    guard !samples.isEmpty else { return }
    try await write { database in
      for sample in samples {
        let before = try database.storedUsage(of: sample.serverID) ?? .none
        try database.store(before.adding(sample, in: now.month), of: sample.serverID, at: now)
      }
    }
  }
}

/// The stored usage of a server: what its customer sees, and the last counters of its present boot.
private struct StoredUsage: RowReadable {
  let usage: ResourceUsage
  let boot: NetworkCounters

  static let none = StoredUsage(usage: .none, boot: NetworkCounters(receivedBytes: 0, sentBytes: 0))

  static let columns = """
    cpu_permille, memory_used_mib, disk_used_bytes, month, received_bytes, sent_bytes, boot_received_bytes, \
    boot_sent_bytes
    """

  init(usage: ResourceUsage, boot: NetworkCounters) {
    self.usage = usage
    self.boot = boot
  }

  init(from row: inout RowReader) throws {
    self.init(
      usage: ResourceUsage(
        cpuPermille: try row.next(), memoryUsedMiB: try row.next(), diskUsedBytes: try row.next(),
        month: try row.next(), receivedBytes: try row.next(), sentBytes: try row.next()),
      boot: NetworkCounters(receivedBytes: try row.next(), sentBytes: try row.next()))
  }

  func adding(_ sample: UsageSample, in month: Int) -> StoredUsage {
    // A clock that is set back must not make the month's traffic disappear.
    let isNewMonth = month > usage.month
    let counters = sample.network ?? boot
    return StoredUsage(
      usage: ResourceUsage(
        cpuPermille: sample.cpuPermille, memoryUsedMiB: sample.memoryUsedMiB,
        diskUsedBytes: sample.diskUsedBytes ?? usage.diskUsedBytes, month: max(month, usage.month),
        receivedBytes: Self.sum(
          isNewMonth ? 0 : usage.receivedBytes, Self.growth(from: boot.receivedBytes, to: counters.receivedBytes)),
        sentBytes: Self.sum(
          isNewMonth ? 0 : usage.sentBytes, Self.growth(from: boot.sentBytes, to: counters.sentBytes))),
      boot: counters)
  }

  /// The sum saturates, because the counters come from the guest, which may report anything.
  private static func sum(_ first: Int64, _ second: Int64) -> Int64 {
    let (sum, isTooLarge) = first.addingReportingOverflow(second)
    return isTooLarge ? .max : sum
  }

  private static func growth(from last: Int64, to counter: Int64) -> Int64 {
    counter >= last ? counter - last : counter
  }
}

extension SQLConnection {
  fileprivate func storedUsage(of id: ID<Server>) throws -> StoredUsage? {
    try first("SELECT \(StoredUsage.columns) FROM server_usage WHERE server_id = ?", [id])
  }

  /// Writes nothing for a server that is gone, or that was stopped since it was measured.
  fileprivate func store(_ stored: StoredUsage, of id: ID<Server>, at now: Timestamp) throws {
    try run(
      """
      INSERT INTO server_usage (server_id, \(StoredUsage.columns), measured_at)
      SELECT id, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM server WHERE id = ? AND erased_at IS NULL AND status NOT IN ('stopped', 'suspended')
      ON CONFLICT (server_id) DO UPDATE SET
        cpu_permille = excluded.cpu_permille, memory_used_mib = excluded.memory_used_mib,
        disk_used_bytes = excluded.disk_used_bytes, month = excluded.month,
        received_bytes = excluded.received_bytes, sent_bytes = excluded.sent_bytes,
        boot_received_bytes = excluded.boot_received_bytes, boot_sent_bytes = excluded.boot_sent_bytes,
        measured_at = excluded.measured_at
      """,
      [
        stored.usage.cpuPermille, stored.usage.memoryUsedMiB, stored.usage.diskUsedBytes, stored.usage.month,
        stored.usage.receivedBytes, stored.usage.sentBytes, stored.boot.receivedBytes, stored.boot.sentBytes, now, id,
      ])
  }

  /// A machine that is off uses neither processor nor memory, and its counters begin at zero with the next boot.
  func resetUsage(of id: ID<Server>) throws {
    try run(
      """
      UPDATE server_usage SET cpu_permille = 0, memory_used_mib = 0, boot_received_bytes = 0, boot_sent_bytes = 0
      WHERE server_id = ?
      """,
      [id])
  }
}
