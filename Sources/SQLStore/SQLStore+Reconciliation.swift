package import Core
import GRDB

extension SQLStore {
  package func inventory() async throws -> [InventoryItem] {
    try await read { database in
      try database.all("SELECT \(InventoryItem.columns) FROM server WHERE erased_at IS NULL ORDER BY id")
    }
  }

  package func recordShutdown(of id: ID<Server>, at now: Timestamp) async throws -> Bool {
    try await write { database in
      guard try database.isIdle(id, in: .active, since: now) else { return false }
      try database.setStatus(.stopped, of: id, at: now)
      try database.resetUsage(of: id)
      return true
    }
  }

  package func recordRunning(of id: ID<Server>, at now: Timestamp) async throws -> Bool {
    try await write { database in
      guard try database.isIdle(id, in: .stopped, since: now) else { return false }
      try database.setStatus(.active, of: id, at: now)
      return true
    }
  }

  package func beginRecovery(
    of id: ID<Server>, limit: Int, since windowStart: Timestamp, at now: Timestamp
  ) async throws -> Bool {
    try await write { database in
      guard try database.isIdle(id, in: .active, since: now) else { return false }
      let begun = try database.value(
        Int.self,
        "SELECT COUNT(*) FROM operation WHERE server_id = ? AND kind = 'recover' AND created_at >= ?",
        [id, windowStart])
      try database.resetUsage(of: id)
      guard begun ?? 0 < limit else {
        let reason = "The server stopped unexpectedly several times in a row."
        try database.setStatus(.error, reason: reason, of: id, at: now)
        return true
      }
      try database.setStatus(.starting, of: id, at: now)
      try database.queue(.recover, on: id, by: nil, at: now)
      return true
    }
  }
}

extension Database {
  /// Whether the server has this status, and nothing is about to change its power or has changed it since it was looked at:
  /// what was seen on the host may be older than a whole operation.
  fileprivate func isIdle(_ id: ID<Server>, in status: ServerStatus, since lookedAt: Timestamp) throws -> Bool {
    try value(
      Int64.self,
      """
      SELECT id FROM server WHERE id = ? AND status = ? AND deleted_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM operation WHERE operation.server_id = server.id AND \(Core.Operation.mayChangePower)
          AND (operation.finished_at IS NULL OR operation.finished_at > ?))
      """,
      [id, status, lookedAt]) != nil
  }
}

extension Core.Operation {
  fileprivate static let mayChangePower: String = {
    let others = Kind.allCases.filter(\.leavesPowerAlone).map { "'\($0.rawValue)'" }
    return "operation.kind NOT IN (\(others.joined(separator: ", ")))"
  }()
}

extension InventoryItem: RowReadable {
  static let columns = """
    id, uuid, status, plan_id, has_disk, deleted_at IS NOT NULL, \
    EXISTS (SELECT 1 FROM operation WHERE operation.server_id = server.id AND operation.finished_at IS NULL
      AND \(Core.Operation.mayChangePower))
    """

  init(from row: inout RowReader) throws {
    self.init(
      id: try row.next(), uuid: try row.next(), status: try row.next(), planID: try row.next(),
      hasDisk: try row.next(), isDeleted: try row.next(), hasOperation: try row.next())
  }
}
