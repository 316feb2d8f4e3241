package import Core

extension SQLStore {
  package func ledger(
    of account: ID<Account>, in month: CalendarMonth?, order: [ListOrder<LedgerKey>], page: PageRequest
  ) async throws -> Page<LedgerEntry> {
    // Two texts, so that each uses its index.
    let condition = "account_id = ?1" + (month == nil ? "" : " AND created_at >= ?2 AND created_at < ?3")
    let arguments: SQLArguments = month.map { [account, $0.start, $0.end] } ?? [account]
    return try await read { database in
      try database.page(
        page,
        of: """
          SELECT \(LedgerEntry.columns) FROM (SELECT * FROM ledger_entry WHERE \(condition)) AS entry
          LEFT JOIN server ON server.id = entry.server_id
          """,
        by: OrderClause(order),
        count: "SELECT COUNT(*) FROM (SELECT id FROM ledger_entry WHERE \(condition)) AS entry WHERE 1 = 1", arguments)
    }
  }

  package func ledger(
    of account: ID<Account>, before id: ID<LedgerEntry>?, limit: Int
  ) async throws -> [LedgerEntry] {
    try await read { database in
      try database.all(
        """
        SELECT \(LedgerEntry.columns) FROM (
          SELECT * FROM ledger_entry WHERE account_id = ? AND id < ? ORDER BY id DESC LIMIT ?) AS entry
        LEFT JOIN server ON server.id = entry.server_id ORDER BY entry.id DESC
        """,
        [account, id?.value ?? .max, limit])
    }
  }

  package func statement(
    of account: ID<Account>, for month: CalendarMonth, page: PageRequest
  ) async throws -> MonthlyStatement {
    let paid = """
      account_id = ?1 AND COALESCE(hour_began_at, created_at) >= ?2 AND COALESCE(hour_began_at, created_at) < ?3
        AND server_id IS NOT NULL AND reason IN ('charge', 'backup', 'traffic')
      """
    return try await read { database in
      let total = try database.value(
        Money.self, "SELECT -COALESCE(SUM(amount), 0) FROM ledger_entry WHERE \(paid)",
        [account, month.start, month.end])
      let servers: Page<ServerCost> = try database.page(
        page, of: ServerCost.query(paid), by: OrderClause([ListOrder(ServerCostKey.id)]),
        // The fourth argument, the month's number, is for the other query.
        count: "SELECT COUNT(*) FROM (SELECT DISTINCT server_id FROM ledger_entry WHERE \(paid)) AS cost WHERE ?4 > 0",
        [account, month.start, month.end, month.number])
      return MonthlyStatement(month: month, total: total ?? .zero, servers: servers)
    }
  }
}

extension LedgerKey: OrderKey {
  var column: String { "entry.id" }
}

extension LedgerEntry: RowReadable {
  static let columns = """
    entry.id, entry.created_at, entry.reason, entry.amount, entry.balance, entry.server_id, server.name, \
    entry.hour_began_at, entry.description
    """

  init(from row: inout RowReader) throws {
    self.init(
      id: try row.next(), createdAt: try row.next(), reason: try row.next(), amount: try row.next(),
      balance: try row.next(), serverID: try row.next(), serverName: try row.next(), hourBeganAt: try row.next(),
      description: try row.next())
  }
}

private enum ServerCostKey: OrderKey {
  case id

  var column: String { "cost.server_id" }
}

extension ServerCost: RowReadable {
  static let columns = """
    cost.server_id, server.name, plan.name, cost.hours, cost.amount, cost.backups, cost.traffic, \
    \(transferred("received_bytes")), \(transferred("sent_bytes")), server.deleted_at
    """

  /// A month's traffic: in `server_usage` for the present month, in `server_traffic` for earlier ones.
  private static func transferred(_ column: String) -> String {
    """
    COALESCE((SELECT \(column) FROM server_usage WHERE server_id = cost.server_id AND month = ?4), \
    (SELECT \(column) FROM server_traffic WHERE server_id = cost.server_id AND month = ?4), 0)
    """
  }

  /// A charge for the difference, made when a server became more expensive within an hour, does not count as an hour.
  fileprivate static func query(_ paid: String) -> String {
    """
    SELECT \(columns) FROM (
      SELECT server_id, SUM(CASE WHEN reason = 'charge' AND number IS NOT NULL THEN 1 ELSE 0 END) AS hours,
        -SUM(CASE reason WHEN 'charge' THEN amount ELSE 0 END) AS amount,
        -SUM(CASE reason WHEN 'backup' THEN amount ELSE 0 END) AS backups,
        -SUM(CASE reason WHEN 'traffic' THEN amount ELSE 0 END) AS traffic
      FROM ledger_entry WHERE \(paid) GROUP BY server_id) AS cost
    JOIN server ON server.id = cost.server_id JOIN plan ON plan.id = server.plan_id
    """
  }

  init(from row: inout RowReader) throws {
    let (id, name, plan, hours) = (
      try row.next(ID<Server>.self), try row.next(ServerName.self), try row.next(String.self), try row.next(Int.self)
    )
    let (amount, backups, traffic) = (try row.next(Money.self), try row.next(Money.self), try row.next(Money.self))
    let usage = ResourceUsage(
      cpuPermille: 0, memoryUsedMiB: 0, diskUsedBytes: 0, month: 0, receivedBytes: try row.next(),
      sentBytes: try row.next())
    self.init(
      serverID: id, name: name, plan: plan, hours: hours, amount: amount, backups: backups,
      trafficGB: usage.bandwidthUsedGB, traffic: traffic, deletedAt: try row.next())
  }
}
