package import Core

extension SQLStore {
  /// The newest so many changes that were asked for, oldest first; of one server, or of all.
  package func auditTrail(newest count: Int, of server: ID<Server>? = nil) async throws -> [AuditEntry] {
    try await read { database in
      if let server {
        try database.all(
          AuditEntry.query("SELECT * FROM audit WHERE server_id = ? ORDER BY id DESC LIMIT ?"), [server, count])
      } else {
        try database.all(AuditEntry.query("SELECT * FROM audit ORDER BY id DESC LIMIT ?"), [count])
      }
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
  fileprivate static func query(_ entries: String) -> String {
    """
    SELECT \(columns) FROM (\(entries)) AS entry
    LEFT JOIN account ON account.id = entry.account_id
    LEFT JOIN token ON token.id = entry.token_id
    LEFT JOIN operation ON operation.id = entry.operation_id
    ORDER BY entry.id
    """
  }

  static let columns =
    "entry.at, account.email, token.name, token.id, entry.action, entry.detail, entry.server_id, operation.state, "
    + "entry.origin"

  init(from row: inout RowReader) throws {
    self.init(
      at: try row.next(), email: try row.next(), tokenName: try row.next(), tokenID: try row.next(),
      action: try row.next(), detail: try row.next(), serverID: try row.next(), outcome: try row.next(),
      origin: try row.next())
  }
}
