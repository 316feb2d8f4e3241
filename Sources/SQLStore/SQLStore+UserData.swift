package import Core

package import struct Foundation.UUID

extension SQLStore {
  package func sealedUserData(of id: ID<Server>) async throws -> [UInt8]? {
    try await read { database in try database.sealedUserData(of: id) }
  }

  package func sealedUserData(ofRebuild id: ID<Core.Operation>) async throws -> [UInt8]? {
    try await read { database in
      let said = try database.rows(
        """
        SELECT operation.server_id, rebuild.keeps_user_data, rebuild.sealed_user_data
        FROM rebuild JOIN operation ON operation.id = rebuild.operation_id WHERE rebuild.operation_id = ?
        """,
        [id]
      ) { row in
        (server: try row.next(ID<Server>.self), keeps: try row.next(Bool.self), sealed: try row.next([UInt8]?.self))
      }
      guard let said = said.first else { return nil }
      return said.keeps ? try database.sealedUserData(of: said.server) : said.sealed
    }
  }

  /// The user data that was sealed last, of any server; nil where there is none.
  package func sealedUserData() async throws -> (server: UUID, bytes: [UInt8])? {
    try await read { database in
      for query in [
        """
        SELECT server.uuid, kept.sealed FROM server_user_data AS kept JOIN server ON server.id = kept.server_id
        ORDER BY kept.server_id DESC LIMIT 1
        """,
        """
        SELECT server.uuid, rebuild.sealed_user_data FROM rebuild JOIN operation ON operation.id = rebuild.operation_id
          JOIN server ON server.id = operation.server_id
        WHERE rebuild.sealed_user_data IS NOT NULL ORDER BY rebuild.operation_id DESC LIMIT 1
        """,
      ] {
        let found = try database.rows(query) { row in
          (server: try row.next(UUID.self), bytes: try row.next([UInt8].self))
        }
        if let found = found.first { return found }
      }
      return nil
    }
  }

  /// Tries to open the oldest and the newest sealed user data. Returns how many were tried, and how many did not open.
  ///
  /// - Parameter limit: How many are tried at most.
  package func trySealedUserData(
    limit: Int, _ opens: @escaping @Sendable (UUID, [UInt8]) -> Bool
  ) async throws -> (count: Int, unreadableCount: Int) {
    try await read { database -> (count: Int, unreadableCount: Int) in
      var results: [String: Bool] = [:]
      for (table, query) in [
        (
          "server_user_data",
          """
          SELECT kept.server_id, server.uuid, kept.sealed FROM server_user_data AS kept
            JOIN server ON server.id = kept.server_id
          ORDER BY kept.server_id
          """
        ),
        (
          "rebuild",
          """
          SELECT rebuild.operation_id, server.uuid, rebuild.sealed_user_data FROM rebuild
            JOIN operation ON operation.id = rebuild.operation_id JOIN server ON server.id = operation.server_id
          WHERE rebuild.sealed_user_data IS NOT NULL ORDER BY rebuild.operation_id
          """
        ),
      ] {
        for order in ["ASC", "DESC"] {
          let tried = try database.rows("\(query) \(order) LIMIT ?", [limit / 4]) { row in
            (
              id: try row.next(Int64.self),
              isOpen: opens(try row.next(UUID.self), try row.next([UInt8].self))
            )
          }
          for one in tried { results["\(table) \(one.id)"] = one.isOpen }
        }
      }
      return (results.count, results.values.count { !$0 })
    }
  }

  package func serversAwaitingUserData(
    on host: ID<Host>, after id: ID<Server>?, limit: Int
  ) async throws -> [Server] {
    try await read { database in
      try database.all(
        """
        \(Server.query) WHERE server.host_id = ? AND server.awaits_user_data = 1 AND server.id > ?
          AND server.status = 'active' AND server.deleted_at IS NULL AND rescue.server_id IS NULL
        ORDER BY server.id LIMIT ?
        """,
        [host, id?.value ?? 0, limit])
    }
  }

  package func recordUserData(of id: ID<Server>, _ trouble: UserDataTrouble?) async throws {
    _ = try await write { database in
      try database.run(
        """
        UPDATE server SET awaits_user_data = 0, user_data_failed = ?, is_user_data_unknown = ?
        WHERE id = ? AND awaits_user_data = 1
        """,
        [trouble == .failed, trouble == .unknown, id])
    }
  }
}

extension SQLConnection {
  fileprivate func sealedUserData(of id: ID<Server>) throws -> [UInt8]? {
    try value([UInt8].self, "SELECT sealed FROM server_user_data WHERE server_id = ?", [id])
  }

  func setUserData(_ sealed: [UInt8]?, of id: ID<Server>) throws {
    try run("DELETE FROM server_user_data WHERE server_id = ?", [id])
    guard let sealed else { return }
    try run("INSERT INTO server_user_data (server_id, sealed) VALUES (?, ?)", [id, sealed])
  }

  /// Replaces the server's user data by that of the rebuild, unless the rebuild keeps it.
  func replaceUserData(of id: ID<Server>, by operation: ID<Core.Operation>) throws {
    try run("UPDATE server SET awaits_user_data = 0, user_data_failed = 0, is_user_data_unknown = 0 WHERE id = ?", [id])
    let brought = try rows(
      "SELECT sealed_user_data FROM rebuild WHERE operation_id = ? AND keeps_user_data = 0", [operation]
    ) { row in try row.next([UInt8]?.self) }
    guard let brought = brought.first else { return }
    try setUserData(brought, of: id)
  }

  /// Deletes what only the customer of a deleted server had use for. The rescue row stays: its disk is there until the server
  /// is erased.
  func forgetOptions(of id: ID<Server>) throws {
    try run("DELETE FROM server_label WHERE server_id = ?", [id])
    try run("DELETE FROM server_user_data WHERE server_id = ?", [id])
    try run("UPDATE rescue SET authorized_key = NULL, root_password_hash = NULL WHERE server_id = ?", [id])
    try run("UPDATE server SET awaits_user_data = 0 WHERE id = ?", [id])
  }
}
