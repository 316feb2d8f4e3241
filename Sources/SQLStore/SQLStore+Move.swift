package import Core

package import struct Foundation.UUID

extension SQLStore {
  package func requestMove(
    of id: ID<Server>, _ order: MoveOrder, pools: AddressPools.Pair, by caller: Caller, at now: Timestamp
  ) async throws -> RequestedOperation? {
    try await write { database in
      guard let server = try database.server(id, of: caller.accountID) else { return nil }
      try database.requireNotSuspended(id)
      try database.requireNoRescue(server)
      try server.status.requireChangeable(hasDisk: server.machine.hasDisk)
      try database.requireNoMove(id)
      guard try !database.hasUnfinished(.resize, on: id) else {
        throw Failure(.conflict, "Server is being resized already.")
      }
      guard server.hostID == order.source else {
        throw Failure.invalid(.location, "The server was moved a moment ago. Try again.")
      }
      try database.requireOpen(order.location)
      let plan = try database.catalogue().plan(server.planID).orFail("plan \(server.planID) is missing")
      guard plan.locations.contains(order.location) else {
        throw Failure.invalid(.location, "The server's plan is not available at \(order.location).")
      }
      let operation = try database.queueMove(of: server, plan, order, pools: pools, by: caller.requesterID, at: now)
      try database.audit(
        "server.move", on: id, operation: operation.id, detail: "\(server.location) to \(order.location)", by: caller,
        at: now)
      let changed = try database.server(id, of: caller.accountID).orFail("the server is gone")
      return RequestedOperation(server: changed, operation: operation)
    }
  }

  package func move(_ id: ID<Core.Operation>) async throws -> ServerMove? {
    try await read { database in
      let move: MoveRow? = try database.first(
        "SELECT \(MoveRow.columns) FROM server_move AS move WHERE move.operation_id = ?", [id])
      guard let move else { return nil }
      let arriving = try database.rows(
        """
        SELECT \(ServerAddress.columns) FROM address WHERE server_id = ? AND is_arriving = 1 ORDER BY family, rank
        """,
        [move.serverID]
      ) { row in try row.address() }
      return ServerMove(source: move.source, target: move.target, location: move.location, arriving: arriving)
    }
  }

  package func leftovers(
    on host: ID<Core.Host>, after last: ID<Core.Operation>?, limit: Int
  ) async throws -> [LeftoverMachine] {
    try await read { database in
      try database.rows(
        """
        SELECT move.operation_id, server.uuid, CASE WHEN server.deleted_at IS NULL THEN server.host_id END
        FROM server_move AS move JOIN server ON server.id = move.server_id
        WHERE move.other_host_id = ? AND NOT \(MoveRow.isComing)
        ORDER BY CASE WHEN move.operation_id > ? THEN 0 ELSE 1 END, move.operation_id LIMIT ?
        """,
        [host, last?.value ?? 0, limit]
      ) { row in LeftoverMachine(move: try row.next(), machine: try row.next(), home: try row.next()) }
    }
  }

  package func recordRemoval(of leftover: LeftoverMachine, on host: ID<Core.Host>) async throws {
    _ = try await write { database in
      try database.run(
        "UPDATE server_move SET other_host_id = NULL WHERE operation_id = ? AND other_host_id = ?",
        [leftover.move, host])
    }
  }

  package func movedMachines(among machines: [UUID], notOn host: ID<Core.Host>) async throws -> Set<UUID> {
    guard !machines.isEmpty else { return [] }
    return try await read { database in
      var moved: Set<UUID> = []
      for machine in machines {
        let found = try database.value(
          Int64.self,
          """
          SELECT server.id FROM server WHERE server.uuid = ?1 AND server.host_id <> ?2 AND EXISTS (
            SELECT 1 FROM server_move AS move WHERE move.server_id = server.id AND ?2 IN (move.from_host_id, move.to_host_id))
            AND NOT EXISTS (SELECT 1 FROM server_move AS move WHERE move.server_id = server.id
              AND move.other_host_id = ?2 AND \(MoveRow.isComing))
          """,
          [machine.text, host])
        if found != nil { moved.insert(machine) }
      }
      return moved
    }
  }

  package func reclaimMoves(
    from host: ID<Core.Host>, by step: String, because reason: String, at now: Timestamp
  ) async throws -> Bool {
    // Nearly always there is none, so a read comes first and nothing is written.
    if try await read({ try $0.movesToHostsThatAreAway(from: host).isEmpty }) { return false }
    return try await write { database in
      let operations = try database.movesToHostsThatAreAway(from: host)
      for operation in operations {
        try database.undoMove(operation, by: step, because: reason, at: now)
      }
      return !operations.isEmpty
    }
  }
}
