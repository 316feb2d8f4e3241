package import Core
import GRDB

extension SQLStore {
  /// The newest so many changes that were asked for, oldest first; of one server, or of all.
  package func auditTrail(newest count: Int, of server: ID<Server>? = nil) async throws -> [AuditEntry] {
    try await read { database in
      try database.all(
        """
        SELECT \(AuditEntry.columns) FROM (
          SELECT * FROM audit WHERE ?1 IS NULL OR server_id = ?1 ORDER BY id DESC LIMIT ?2) AS entry
        LEFT JOIN account ON account.id = entry.account_id
        LEFT JOIN token ON token.id = entry.token_id
        LEFT JOIN operation ON operation.server_id = entry.server_id AND operation.created_at = entry.at
          AND operation.requested_by IS entry.token_id
          AND (entry.action = 'server.' || operation.kind
            OR (entry.action = 'server.update' AND operation.kind = 'configure')
            OR (operation.subject_id = CAST(entry.detail AS INTEGER) AND (
              (entry.action IN ('backup.create', 'snapshot.create') AND operation.kind IN ('backup', 'snapshot'))
              OR (entry.action IN ('backup.restore', 'snapshot.restore') AND operation.kind = 'restore')
              OR (entry.action IN ('backup.delete', 'snapshot.delete') AND operation.kind = 'discard'))))
        ORDER BY entry.id
        """,
        [server, count])
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
