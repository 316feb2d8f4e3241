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
      var rest = samples[...]
      while !rest.isEmpty {
        let several = rest.prefix(Self.samplesInStatement)
        // One statement changes a row once, and each number of rows has a statement of its own.
        let isWhole = Set(several.map(\.serverID)).count == Self.samplesInStatement
        let some = isWhole ? several : several.prefix(1)
        try database.record(Array(some), at: now)
        rest = rest.dropFirst(some.count)
      }
    }
  }

  /// With PostgreSQL each statement is a round trip, during which no one else can write.
  private static let samplesInStatement = 25
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

  fileprivate func record(_ samples: [UsageSample], at now: Timestamp) throws {
    let places = samples.map { _ in "?" }.joined(separator: ", ")
    let stored = try rows(
      "SELECT server_id, \(StoredUsage.columns) FROM server_usage WHERE server_id IN (\(places))",
      samples.map { $0.serverID }
    ) { row in (id: try row.next(ID<Server>.self), usage: try StoredUsage(from: &row)) }
    let before = Dictionary(uniqueKeysWithValues: stored.map { ($0.id, $0.usage) })
    let month = try trafficMonth(at: now)
    try store(samples.map { ($0, (before[$0.serverID] ?? .none).adding($0, in: month)) }, at: now)
  }

  /// The month that traffic belongs to: with `now` of a clock that is far ahead, the month before would be lost.
  func trafficMonth(at now: Timestamp) throws -> Int { (try billingTime(at: now) ?? now).month }

  /// Writes nothing for a server that is gone, or that was off since it was measured: the counters of its former boot would count
  /// once more. It was not where it is as it was then, or where its customer alone has changed it. Whoever changes its name all
  /// the time is measured as well.
  private func store(_ stored: [(sample: UsageSample, usage: StoredUsage)], at now: Timestamp) throws {
    let row = "(" + [String](repeating: "CAST(? AS BIGINT)", count: 11).joined(separator: ", ") + ")"
    try run(
      """
      INSERT INTO server_usage (server_id, \(StoredUsage.columns), measured_at)
      SELECT id, column2, column3, column4, column5, column6, column7, column8, column9, column10
      FROM (VALUES \(stored.map { _ in row }.joined(separator: ", "))) AS sample
        JOIN server ON id = column1
      WHERE erased_at IS NULL AND status NOT IN ('stopped', 'suspended')
        AND (updated_at = column11 OR NOT EXISTS (
          SELECT 1 FROM operation WHERE operation.server_id = server.id AND \(Core.Operation.mayChangePower)
            AND (operation.finished_at IS NULL OR operation.finished_at > column11)))
      ON CONFLICT (server_id) DO UPDATE SET
        cpu_permille = excluded.cpu_permille, memory_used_mib = excluded.memory_used_mib,
        disk_used_bytes = excluded.disk_used_bytes, month = excluded.month,
        received_bytes = excluded.received_bytes, sent_bytes = excluded.sent_bytes,
        boot_received_bytes = excluded.boot_received_bytes, boot_sent_bytes = excluded.boot_sent_bytes,
        measured_at = excluded.measured_at
      """,
      stored.flatMap { sample, stored -> SQLArguments in
        [
          sample.serverID, stored.usage.cpuPermille, stored.usage.memoryUsedMiB, stored.usage.diskUsedBytes,
          stored.usage.month, stored.usage.receivedBytes, stored.usage.sentBytes, stored.boot.receivedBytes,
          stored.boot.sentBytes, now, sample.serverUpdatedAt,
        ]
      })
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
