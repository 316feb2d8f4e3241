package import Core

extension SQLStore {
  private static let bytesPerGB: Int64 = 1_000_000_000
  /// No machine sends so much in a month; a guest that says so is not believed.
  private static let mostGB: Int64 = 999_999

  package func chargeTraffic(limit: Int, at now: Timestamp) async throws -> Int {
    guard let price = tariff.pricePerGB, price > .zero else { return 0 }
    let month = now.month
    let excesses = try await read { database in try database.excesses(in: month) }
    guard !excesses.isEmpty else { return 0 }
    return try await write { database in
      var rest = limit
      for excess in excesses where rest > 0 {
        rest -= try database.charge(excess, price, month: month, limit: rest, at: now)
      }
      return limit - rest
    }
  }

  fileprivate struct Excess: RowReadable {
    let server: ID<Server>
    let account: ID<Account>
    let includedGB: Int64
    let usedGB: Int64

    static let columns =
      "server.id, server.account_id, plan.bandwidth_gb, server_usage.received_bytes, server_usage.sent_bytes"

    init(from row: inout RowReader) throws {
      server = try row.next()
      account = try row.next()
      includedGB = try row.next()
      let bytes = max(try row.next(Int64.self), try row.next(Int64.self))
      usedGB = min((bytes - 1) / bytesPerGB + 1, mostGB)
    }
  }
}

extension SQLConnection {
  fileprivate func excesses(in month: Int) throws -> [SQLStore.Excess] {
    try all(
      """
      SELECT \(SQLStore.Excess.columns) FROM server_usage JOIN server ON server.id = server_usage.server_id
      JOIN plan ON plan.id = server.plan_id
      WHERE server_usage.month = ? AND server.deleted_at IS NULL
        AND (received_bytes > plan.bandwidth_gb * 1000000000 OR sent_bytes > plan.bandwidth_gb * 1000000000)
      """,
      [month])
  }

  /// One entry a GB that is begun, as long as there is credit. Returns how many.
  fileprivate func charge(
    _ excess: SQLStore.Excess, _ price: Money, month: Int, limit: Int, at now: Timestamp
  ) throws -> Int {
    let first = Int64(month) * 1_000_000
    let charged = try value(
      Int64.self,
      "SELECT COALESCE(MAX(number), 0) FROM ledger_entry WHERE server_id = ? AND reason = 'traffic' AND number > ?",
      [excess.server, first])
    let next = max(first + excess.includedGB, charged ?? 0) + 1
    let last = min(first + excess.usedGB, next + Int64(limit) - 1)
    guard next <= last else { return 0 }
    var count = 0
    for number in next...last {
      guard try balance(of: excess.account) >= price else { break }
      try append(
        .traffic, -price, to: excess.account, for: excess.server, number: number,
        description: "GB \(number - first) of \(month / 100)-\(month % 100 < 10 ? "0" : "")\(month % 100)", at: now)
      count += 1
    }
    return count
  }
}
