package import Core

extension SQLStore {
  package func recordMetrics(_ metrics: [ID<Server>: Metric]) async throws {
    guard !metrics.isEmpty else { return }
    try await write { database in
      for (at, ofTime) in Dictionary(grouping: metrics, by: \.value.at) {
        var rest = ofTime[...]
        while !rest.isEmpty {
          // Each number of rows has a statement of its own.
          let some = rest.prefix(rest.count >= Self.metricsInStatement ? Self.metricsInStatement : 1)
          try database.record(some.map { (id: $0.key, metric: $0.value) }, at: at)
          rest = rest.dropFirst(some.count)
        }
      }
    }
  }

  /// With PostgreSQL each statement is a round trip, during which no one else can write.
  private static let metricsInStatement = 25

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
  fileprivate func record(_ metrics: [(id: ID<Server>, metric: Metric)], at minute: Timestamp) throws {
    let row = "(" + [String](repeating: "CAST(? AS BIGINT)", count: 6).joined(separator: ", ") + ")"
    try run(
      """
      INSERT INTO metric (server_id, resolution, at, \(Metric.figures))
      SELECT id, \(Metric.Resolution.minute.seconds), CAST(? AS BIGINT), column2, column3, column4, column5, column6
      FROM (VALUES \(metrics.map { _ in row }.joined(separator: ", "))) AS figure JOIN server ON id = column1
      WHERE erased_at IS NULL
      ON CONFLICT (server_id, resolution, at) DO UPDATE SET \(Metric.replacement)
      """,
      [minute]
        + metrics.flatMap { id, metric -> SQLArguments in
          [
            id, metric.cpuPermille, metric.memoryMiB, metric.diskBytes, metric.receivedBytesPerSecond,
            metric.sentBytesPerSecond,
          ]
        })
    let quarter = Metric.Resolution.quarterHour
    let milliseconds = quarter.seconds * 1000
    let start = minute.millisecondsSinceEpoch / milliseconds * milliseconds
    let servers = metrics.map(\.id)
    let places = servers.map { _ in "?" }.joined(separator: ", ")
    try run(
      """
      INSERT INTO metric (server_id, resolution, at, \(Metric.figures))
      SELECT server_id, \(quarter.seconds), CAST(? AS BIGINT), \(Metric.averages) FROM metric
      WHERE server_id IN (\(places)) AND resolution = \(Metric.Resolution.minute.seconds) AND at >= ? AND at < ?
      GROUP BY server_id
      ON CONFLICT (server_id, resolution, at) DO UPDATE SET \(Metric.replacement)
      """,
      [start] + servers + [start, start + milliseconds])
    // Expired rows are deleted once a quarter of an hour, and little more than a quarter adds: if the clock has jumped ahead,
    // few are lost before it is corrected.
    guard start == minute.millisecondsSinceEpoch else { return }
    for resolution in Metric.Resolution.allCases {
      try run(
        """
        DELETE FROM metric WHERE server_id IN (\(places)) AND resolution = \(resolution.seconds) AND at < ?
          AND at < COALESCE((SELECT newer.at FROM metric AS newer
            WHERE newer.server_id = metric.server_id AND newer.resolution = \(resolution.seconds)
            ORDER BY newer.at LIMIT 1 OFFSET \(quarter.seconds / resolution.seconds + 1)), \(Int64.max))
        """,
        servers + [minute - resolution.retention])
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
