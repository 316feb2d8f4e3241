package import Core

/// Numbers about the whole installation, from one snapshot of the database. They name no server, account or customer.
package struct StoreFigures: Sendable, Equatable {
  /// The unfinished operations of a host.
  package struct Queue: Sendable, Equatable {
    package let host: String
    package let queued: Int
    package let running: Int
    /// When the oldest operation was requested that has not begun.
    package let oldestQueuedAt: Timestamp?
  }

  package struct Servers: Sendable, Equatable {
    package let host: String
    /// One of `ServerStatus`, or `deleting`.
    package let status: String
    package let count: Int
  }

  /// Entries of the ledger with one reason that were written since the last look.
  package struct Ledger: Sendable, Equatable {
    package let reason: String
    package let count: Int
    package let given: Money
    package let taken: Money
    let lastID: Int64
  }

  package struct Accounts: Sendable, Equatable {
    package let open: Int
    package let suspendedForCredit: Int
    package let suspendedByOperator: Int
  }

  /// The names of a location's addresses that its DNS server has yet to be told.
  package struct Names: Sendable, Equatable {
    package let location: String
    package fileprivate(set) var waiting = 0
    /// How many of the waiting names were refused.
    package fileprivate(set) var refused = 0
    package fileprivate(set) var oldestAt: Timestamp?
  }

  package let hosts: [HostLoad]
  package let queues: [Queue]
  package let servers: [Servers]
  package let accounts: Accounts
  package let ledger: [Ledger]
  /// One element for each location.
  package let names: [Names]

  /// The entry from which the next look goes on; nil where none was written.
  package var lastEntry: Int64? { ledger.map(\.lastID).max() }
}

extension SQLStore {
  package func lastLedgerEntry() async throws -> Int64 {
    try await read { database in try database.value(Int64.self, "SELECT COALESCE(MAX(id), 0) FROM ledger_entry") ?? 0 }
  }

  package func nameFigures() async throws -> [StoreFigures.Names] { try await read { try $0.nameFigures() } }

  /// - Parameter id: The last entry of the ledger that was seen; only later ones are added up.
  package func figures(ledgerAfter id: Int64) async throws -> StoreFigures {
    try await read { database in
      StoreFigures(
        hosts: try database.all(
          "SELECT \(HostLoad.columns) FROM host WHERE is_configured = 1 OR server_count > 0 ORDER BY id"),
        queues: try database.queueFigures(), servers: try database.serverFigures(),
        accounts: try database.accountFigures(), ledger: try database.ledgerFigures(after: id),
        names: try database.nameFigures())
    }
  }
}

extension SQLConnection {
  fileprivate func queueFigures() throws -> [StoreFigures.Queue] {
    try rows(
      """
      SELECT host.name, COUNT(CASE WHEN operation.state = 'queued' THEN 1 END),
        COUNT(CASE WHEN operation.state = 'running' THEN 1 END),
        MIN(CASE WHEN operation.state = 'queued' THEN operation.created_at END)
      FROM host LEFT JOIN operation ON operation.host_id = host.id AND operation.finished_at IS NULL
      WHERE host.is_configured = 1 OR host.server_count > 0 GROUP BY host.id, host.name ORDER BY host.id
      """
    ) { row in
      StoreFigures.Queue(
        host: try row.next(), queued: try row.next(), running: try row.next(), oldestQueuedAt: try row.next())
    }
  }

  fileprivate func serverFigures() throws -> [StoreFigures.Servers] {
    try rows(
      """
      SELECT host.name, CASE WHEN server.deleted_at IS NULL THEN server.status ELSE 'deleting' END AS shown_status, COUNT(*)
      FROM server JOIN host ON host.id = server.host_id WHERE server.erased_at IS NULL
      GROUP BY host.id, host.name, shown_status ORDER BY host.id, shown_status
      """
    ) { row in
      StoreFigures.Servers(host: try row.next(), status: try row.next(), count: try row.next())
    }
  }

  fileprivate func accountFigures() throws -> StoreFigures.Accounts {
    func count(_ condition: String) throws -> Int {
      try value(Int.self, "SELECT COUNT(*) FROM account WHERE \(condition)") ?? 0
    }
    return StoreFigures.Accounts(
      open: try count("closed_at IS NULL"), suspendedForCredit: try count("credit_suspended_at IS NOT NULL"),
      suspendedByOperator: try count("operator_suspended_at IS NOT NULL"))
  }

  fileprivate func nameFigures() throws -> [StoreFigures.Names] {
    let counted = try NamedTable.allCases.flatMap { table in
      try rows(
        """
        SELECT address.location, COUNT(*), COUNT(change.failure), MIN(change.queued_at) FROM \(table.changes)
        GROUP BY address.location
        """
      ) { row in
        StoreFigures.Names(
          location: try row.next(), waiting: try row.next(), refused: try row.next(), oldestAt: try row.next())
      }
    }
    let locations = try rows("SELECT code FROM location ORDER BY code") { row in try row.next(String.self) }
    return locations.map { location in
      counted.filter { $0.location == location }.reduce(into: StoreFigures.Names(location: location)) { sum, one in
        sum.waiting += one.waiting
        sum.refused += one.refused
        sum.oldestAt = [sum.oldestAt, one.oldestAt].compactMap(\.self).min()
      }
    }
  }

  fileprivate func ledgerFigures(after id: Int64) throws -> [StoreFigures.Ledger] {
    try rows(
      """
      SELECT reason, COUNT(*), CAST(COALESCE(SUM(CASE WHEN amount > 0 THEN amount END), 0) AS BIGINT),
        CAST(COALESCE(SUM(CASE WHEN amount < 0 THEN -amount END), 0) AS BIGINT), MAX(id)
      FROM ledger_entry WHERE id > ? GROUP BY reason ORDER BY reason
      """,
      [id]
    ) { row in
      StoreFigures.Ledger(
        reason: try row.next(), count: try row.next(), given: try row.next(), taken: try row.next(),
        lastID: try row.next())
    }
  }
}
