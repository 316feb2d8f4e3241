package import Core

extension SQLStore {
  package func continueDraining(
    of id: ID<Host>, to receivers: Set<ID<Host>>, atOnce limit: Int, triedBefore moment: Timestamp, at now: Timestamp
  ) async throws -> DrainProgress {
    // Nearly always there is nothing to do, so a read comes first and nothing is written.
    let (time, isIdle) = try await read { database in
      guard let host = try database.host(id), host.isDraining, let time = host.movesServersAt else {
        return (Timestamp?.none, true)
      }
      guard try time <= now && database.movesUnderWay(from: id) < limit else { return (time, true) }
      return (time, try database.serversToDrain(from: id, triedBefore: moment, at: now).isEmpty)
    }
    guard let time, !isIdle else { return DrainProgress(movesServersAt: time) }
    return try await write { database in
      var progress = DrainProgress(movesServersAt: time)
      guard let host = try database.host(id), host.isDraining, host.movesServersAt.map({ $0 <= now }) == true,
        try database.movesUnderWay(from: id) < limit
      else { return progress }
      for candidate in try database.serversToDrain(from: id, triedBefore: moment, at: now) {
        guard let server = try database.server(candidate) else { continue }
        let plan = try database.catalogue().plan(server.planID).orFail("plan \(server.planID) is missing")
        let order = MoveOrder(from: id, to: server.location, receivers: receivers)
        do {
          _ = try database.queueMove(of: server, plan, order, pools: nil, by: nil, at: now)
          progress.isMoveQueued = true
          return progress
        } catch let failure as Failure where failure.code == .noCapacity {
          // It is found out before anything is written.
          progress.withoutRoom.append(candidate)
        }
      }
      return progress
    }
  }
}

extension SQLConnection {
  fileprivate func movesUnderWay(from host: ID<Host>) throws -> Int {
    try value(
      Int.self,
      """
      SELECT COUNT(*) FROM operation CROSS JOIN server_move AS move
      WHERE move.operation_id = operation.id AND operation.finished_at IS NULL AND operation.kind = 'move'
        AND move.from_host_id = ? AND move.from_location = move.to_location
      """,
      [host]) ?? 0
  }

  /// The servers that nothing is being done for, the account first whose last server left the host longest ago. A move that fails
  /// may have taken its server down for long, so it is tried twice: draining the host again is a new beginning.
  fileprivate func serversToDrain(
    from host: ID<Host>, triedBefore moment: Timestamp, at now: Timestamp
  ) throws -> [ID<Server>] {
    try rows(
      """
      SELECT server.id FROM server LEFT JOIN (
        SELECT other.account_id, MAX(move.operation_id) AS operation_id FROM server_move AS move
        JOIN server AS other ON other.id = move.server_id WHERE move.from_host_id = ?1 GROUP BY other.account_id
      ) AS turn ON turn.account_id = server.account_id
      WHERE server.host_id = ?1 AND server.deleted_at IS NULL AND server.has_disk = 1
        AND server.awaits_new_disk = 0 AND server.status IN ('active', 'stopped', 'suspended')
        AND NOT EXISTS (SELECT 1 FROM operation WHERE operation.server_id = server.id AND operation.finished_at IS NULL)
        AND NOT EXISTS (SELECT 1 FROM rescue WHERE rescue.server_id = server.id)
        AND NOT EXISTS (SELECT 1 FROM operation WHERE operation.server_id = server.id AND operation.kind = 'move'
          AND operation.state = 'failed' AND operation.finished_at > ?2 AND operation.finished_at <= ?3)
        AND (SELECT COUNT(*) FROM operation WHERE operation.server_id = server.id AND operation.kind = 'move'
          AND operation.state = 'failed' AND operation.created_at >= (
            SELECT host.moves_servers_at FROM host WHERE host.id = ?1)) < 2
      ORDER BY COALESCE(turn.operation_id, 0), server.id LIMIT 100
      """,
      [host, moment, now]
    ) { row in try row.next() }
  }
}
