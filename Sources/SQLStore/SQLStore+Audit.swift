package import Core

extension SQLStore {
  /// The newest `count` entries, oldest first; of one server, or of all.
  package func auditTrail(newest count: Int, of server: ID<Server>? = nil) async throws -> [AuditEntry] {
    var filter = AuditFilter()
    filter.serverID = server
    guard let first = try await auditBeginning(newest: count, filter) else { return [] }
    return try await auditTrail(filter, from: first, limit: count)
  }

  /// The oldest of the newest `count` entries; nil where there are none.
  package func auditBeginning(newest count: Int, _ filter: AuditFilter) async throws -> ID<AuditEntry>? {
    try await read { database in
      let (condition, arguments) = filter.selection
      return try database.value(
        ID<AuditEntry>.self,
        "SELECT MIN(id) FROM (SELECT id FROM audit WHERE \(condition) ORDER BY id DESC LIMIT ?) AS newest "
          + "HAVING MIN(id) IS NOT NULL", arguments + [count])
    }
  }

  /// The entries from this one on, oldest first; `limit` at most.
  package func auditTrail(
    _ filter: AuditFilter, from first: ID<AuditEntry>, limit: Int
  ) async throws -> [AuditEntry] {
    try await read { database in
      let (condition, arguments) = filter.selection
      return try database.all(
        AuditEntry.query("SELECT * FROM audit WHERE \(condition) AND id >= ? ORDER BY id LIMIT ?"),
        arguments + [first, limit])
    }
  }

  package func auditTrail(
    _ filter: AuditFilter, before id: ID<AuditEntry>?, limit: Int
  ) async throws -> [AuditEntry] {
    try await read { database in
      let (condition, arguments) = filter.selection
      return try database.all(
        AuditEntry.query("SELECT * FROM audit WHERE \(condition) AND id < ? ORDER BY id DESC LIMIT ?") + " DESC",
        arguments + [id?.value ?? .max, limit])
    }
  }
}

extension AuditFilter {
  /// A text of its own for each combination, so that each uses an index.
  var selection: (condition: String, arguments: SQLArguments) {
    switch (serverID, accountID) {
    case (nil, nil): ("1 = 1", [])
    case (let server?, nil): ("server_id = ?", [server])
    case (nil, let account?): ("account_id = ?", [account])
    case (let server?, let account?): ("server_id = ? AND account_id = ?", [server, account])
    }
  }
}

extension SQLStore {
  /// Remembers what the operator did to the whole installation.
  package func recordOperator(_ action: String, detail: String? = nil, at now: Timestamp) async throws {
    try await write { database in try database.auditOperator(action, detail: detail, at: now) }
  }
}

extension AuditEntry: RowReadable {
  static func query(_ entries: String) -> String {
    """
    SELECT \(columns) FROM (\(entries)) AS entry
    LEFT JOIN account ON account.id = entry.account_id
    LEFT JOIN token ON token.id = entry.token_id
    LEFT JOIN account AS actor ON actor.id = token.account_id
    LEFT JOIN operation ON operation.id = entry.operation_id
    ORDER BY entry.id
    """
  }

  static let columns =
    "entry.id, entry.at, account.email, token.name, token.id, actor.email, entry.action, entry.detail, entry.server_id, "
    + "operation.state, entry.origin, entry.account_id"

  init(from row: inout RowReader) throws {
    self.init(
      id: try row.next(), at: try row.next(), email: try row.next(), tokenName: try row.next(), tokenID: try row.next(),
      tokenEmail: try row.next(), action: try row.next(), detail: try row.next(), serverID: try row.next(),
      outcome: try row.next(),
      origin: try row.next(), accountID: try row.next())
  }
}
