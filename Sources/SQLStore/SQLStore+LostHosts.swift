package import Core

extension SQLStore {
  package func deleteServers(
    ofLostHost name: String, atMost limit: Int, by operator: Operator, at now: Timestamp
  ) async throws -> Int {
    try await write { [tariff] database in
      let host = try database.idleHost(name)
      guard host.isAway else {
        throw HostRefused("The host \(name.quoted) is not away: its servers can be deleted one by one.")
      }
      let servers: [(id: ID<Server>, account: ID<Account>, isDeleted: Bool)] = try database.rows(
        """
        SELECT id, account_id, deleted_at IS NOT NULL FROM server WHERE host_id = ? AND erased_at IS NULL
        ORDER BY id LIMIT ?
        """,
        [host.id, limit]
      ) { row in (try row.next(), try row.next(), try row.next()) }
      for server in servers {
        if !server.isDeleted { try database.hideAndErase(server.id, by: nil, tariff, at: now) }
        let operation = try database.endLost(server.id, at: now)
        try database.auditOperator(
          "server.delete", by: `operator`, account: server.account, server: server.id, operation: operation,
          detail: "the host \(host.name) is lost", at: now)
      }
      return servers.count
    }
  }
}

extension SQLConnection {
  /// Ends all that is under way for a server that was deleted, and whose machine is gone with its host. Whoever carries a step
  /// of it out loses the lease. Returns the deletion.
  fileprivate func endLost(_ id: ID<Server>, at now: Timestamp) throws -> ID<Core.Operation>? {
    let underWay: [(id: ID<Core.Operation>, isDeletion: Bool)] = try rows(
      "SELECT id, kind = 'delete' FROM operation WHERE server_id = ? AND finished_at IS NULL ORDER BY id", [id]
    ) { row in (try row.next(), try row.next()) }
    let server = try serverUnderWork(id)
    for operation in underWay {
      try finish(operation.id, as: operation.isDeletion ? .succeeded : .cancelled, at: now)
      let isMove =
        try value(
          Int64.self, "SELECT operation_id FROM server_move WHERE operation_id = ?", [operation.id]) != nil
      if isMove { try endMove(operation.id, of: id, at: now) }
    }
    try erase(server, at: now)
    return underWay.last(where: \.isDeletion)?.id
  }

  /// Nothing is expected any more of what moves have left there. Throws where one of them is not over: the host that has the
  /// server ends it first.
  func forgetMoves(besides host: Host) throws {
    let isUnderWay =
      try value(
        Int64.self,
        """
        SELECT operation.id FROM server_move AS move JOIN operation ON operation.id = move.operation_id
        WHERE move.other_host_id = ? AND operation.finished_at IS NULL LIMIT 1
        """,
        [host.id]) != nil
    guard !isUnderWay else {
      throw HostRefused(
        "A server's move to or from the host \(host.name.quoted) is being ended: try again in a minute.")
    }
    try run("UPDATE server_move SET other_host_id = NULL WHERE other_host_id = ?", [host.id])
  }
}
