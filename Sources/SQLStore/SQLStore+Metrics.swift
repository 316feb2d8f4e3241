package import Core

extension SQLStore {
  package func recordMetrics(_ metrics: [ID<Server>: Metric]) async throws {
    guard !metrics.isEmpty else { return }
    try await write { database in
      for (id, metric) in metrics { try database.record(metric, of: id) }
    }
  }

  package func metrics(of id: ID<Server>, of account: ID<Account>, in range: MetricRange) async throws -> [Metric]? {
    try await read { database in
      guard try database.server(id, of: account) != nil else { return nil }
      return try database.all(
        """
        SELECT (at / ?1) * ?1, \(Metric.averages) FROM metric
        WHERE server_id = ?2 AND resolution = ?3 AND at >= ?4 AND at < ?5
        GROUP BY at / ?1 ORDER BY at / ?1
        """,
        [range.stepSeconds * 1000, id, range.resolution.seconds, range.start, range.end])
    }
  }
}

extension SQLConnection {
  /// Writes nothing for a server that is gone.
  fileprivate func record(_ metric: Metric, of id: ID<Server>) throws {
    let written = try run(
      """
      INSERT INTO metric (server_id, resolution, at, \(Metric.figures))
      SELECT id, ?, ?, ?, ?, ?, ?, ? FROM server WHERE id = ? AND erased_at IS NULL
      ON CONFLICT (server_id, resolution, at) DO UPDATE SET \(Metric.replacement)
      """,
      [
        Metric.Resolution.minute.seconds, metric.at, metric.cpuPermille, metric.memoryMiB, metric.diskBytes,
        metric.receivedBytesPerSecond, metric.sentBytesPerSecond, id,
      ])
    guard written > 0 else { return }
    let quarter = Metric.Resolution.quarterHour
    let milliseconds = quarter.seconds * 1000
    let start = metric.at.millisecondsSinceEpoch / milliseconds * milliseconds
    try run(
      """
      INSERT INTO metric (server_id, resolution, at, \(Metric.figures))
      SELECT ?1, ?2, ?3, \(Metric.averages) FROM metric
      WHERE server_id = ?1 AND resolution = ?4 AND at >= ?3 AND at < ?5
      ON CONFLICT (server_id, resolution, at) DO UPDATE SET \(Metric.replacement)
      """,
      [id, quarter.seconds, start, Metric.Resolution.minute.seconds, start + milliseconds])
    // Expired rows are deleted once a quarter of an hour, and little more than a quarter adds: if the clock has jumped ahead,
    // few are lost before it is corrected.
    guard start == metric.at.millisecondsSinceEpoch else { return }
    for resolution in Metric.Resolution.allCases {
      try run(
        """
        DELETE FROM metric WHERE server_id = ?1 AND resolution = ?2 AND at IN (
          SELECT at FROM metric WHERE server_id = ?1 AND resolution = ?2 AND at < ?3 ORDER BY at LIMIT ?4)
        """,
        [id, resolution.seconds, metric.at - resolution.retention, quarter.seconds / resolution.seconds + 1])
    }
  }

  func forgetMetrics(of id: ID<Server>) throws {
    try run("DELETE FROM metric WHERE server_id = ?", [id])
  }
}

extension Metric: RowReadable {
  static let columns = "at, \(figures)"

  fileprivate static let names = [
    "cpu_permille", "memory_mib", "disk_bytes", "received_bytes_per_second", "sent_bytes_per_second",
  ]
  fileprivate static let figures = names.joined(separator: ", ")
  // AVG is a floating-point number, because a sum of what guests report may be too large for an integer.
  fileprivate static let averages = names.map { "CAST(AVG(\($0)) AS BIGINT)" }.joined(separator: ", ")
  fileprivate static let replacement = names.map { "\($0) = excluded.\($0)" }.joined(separator: ", ")

  init(from row: inout RowReader) throws {
    self.init(
      at: try row.next(), cpuPermille: try row.next(), memoryMiB: try row.next(), diskBytes: try row.next(),
      receivedBytesPerSecond: try row.next(), sentBytesPerSecond: try row.next())
  }
}
