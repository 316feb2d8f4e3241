package import Core

extension SQLStore {
  package func beginFence(of id: ID<Host>, awaySince: Timestamp) async throws -> Bool {
    try await write { database in
      let count = try database.run(
        """
        UPDATE host SET fence = 'begun', fence_failure = CASE WHEN fence = 'begun' THEN fence_failure END
        WHERE id = ? AND away_since = ? AND is_configured = 1 AND (fence IS NULL OR fence = 'begun')
        """,
        [id, awaySince])
      try database.tell("host")
      return count > 0
    }
  }

  package func hasHeir(ofServersOn id: ID<Host>, among heirs: Set<ID<Host>>) async throws -> Bool {
    try await read { database in
      if try database.hasHeirBeside(id, among: heirs) { return true }
      let shares = try database.rows(
        """
        SELECT DISTINCT server.location, server.vcpus, server.memory_mib,
          server.storage_gib + COALESCE(rescue.storage_gib, 0)
        FROM server LEFT JOIN rescue ON rescue.server_id = server.id
        WHERE server.host_id = ? AND server.deleted_at IS NULL
        """,
        [id]
      ) { row in
        (
          location: try row.next(String.self),
          share: HostCapacity(vcpus: try row.next(), memoryMiB: try row.next(), storageGiB: try row.next())
        )
      }
      return try shares.contains { location, share in
        try database.fitHost(forShare: share, at: location) { $0.id != id && heirs.contains($0.id) } != nil
      }
    }
  }

  package func recordNoFence(of id: ID<Host>, awaySince: Timestamp, because reason: String) async throws -> Bool {
    try await write { database in
      let count = try database.run(
        """
        UPDATE host SET fence_failure = ? WHERE id = ? AND away_since = ? AND (fence IS NULL OR fence = 'begun')
        """,
        [reason, id, awaySince])
      try database.tell("host")
      return count > 0
    }
  }

  package func recordFence(
    of id: ID<Host>, awaySince: Timestamp, failure: String?, at now: Timestamp
  ) async throws -> Bool {
    try await write { database in
      let host: Host? = try database.first(
        """
        UPDATE host SET fence_failure = ? WHERE id = ? AND away_since = ? AND fence = 'begun' RETURNING \(Host.columns)
        """,
        [failure, id, awaySince])
      guard let host else { return false }
      try database.tell("host")
      guard failure == nil else { return true }
      try database.run("UPDATE host SET fence = 'done', is_draining = 1 WHERE id = ?", [id])
      try database.auditOperator("host.fence", detail: host.name, at: now)
      return true
    }
  }

  package func takeNextServer(
    from id: ID<Host>, after last: ID<Server>?, to heirs: Set<ID<Host>>, resuming steps: ResumedSteps, at now: Timestamp
  ) async throws -> TakenServer? {
    // Nearly always there is none, or one that waits, so a read comes first and nothing is written.
    let (next, waits) = try await read { database -> (ID<Server>?, Bool) in
      guard try database.host(id)?.state == .fenced, let server = try database.nextServer(on: id, after: last) else {
        return (nil, false)
      }
      let waits = try database.heir(of: server, among: heirs) == nil && database.comingMoves(of: server.id).isEmpty
      return (server.id, waits)
    }
    guard let next else { return nil }
    if waits { return TakenServer(server: next, target: nil) }
    return try await write { database in
      guard let host = try database.host(id), host.state == .fenced,
        let server = try database.nextServer(on: id, after: last)
      else { return nil }
      guard let heir = try database.heir(of: server, among: heirs) else {
        try database.giveUpMoves(of: server, at: now)
        return TakenServer(server: server.id, target: nil)
      }
      try database.take(server, from: host, to: heir, resuming: steps, at: now)
      return TakenServer(server: server.id, target: heir.id)
    }
  }

  package func awaitedMachines(
    on host: ID<Host>, after last: ID<Core.Operation>?, limit: Int
  ) async throws -> [AwaitedMachine] {
    try await read { database in
      // A host that an operator lets back may be coming up with the machine.
      try database.rows(
        """
        SELECT move.operation_id, server.id, server.uuid
        FROM server_move AS move JOIN server ON server.id = move.server_id
        WHERE move.is_awaited = 1 AND server.host_id = ? AND server.erased_at IS NULL AND NOT EXISTS (
          SELECT 1 FROM server_move AS other JOIN host ON host.id = other.other_host_id
          WHERE other.server_id = server.id AND host.fence = 'released')
        ORDER BY CASE WHEN move.operation_id > ? THEN 0 ELSE 1 END, move.operation_id LIMIT ?
        """,
        [host, last?.value ?? 0, limit]
      ) { row in
        AwaitedMachine(move: try row.next(), server: try row.next(), machine: try row.next())
      }
    }
  }

  package func recordArrival(of awaited: AwaitedMachine, on host: ID<Host>) async throws {
    _ = try await write { database in
      try database.run(
        """
        UPDATE server_move SET is_awaited = 0 WHERE operation_id = ? AND server_id IN (
          SELECT id FROM server WHERE host_id = ?)
        """,
        [awaited.move, host])
    }
  }
}

extension SQLConnection {
  private static var lostReason: String { "The server's host was lost meanwhile." }

  fileprivate func nextServer(on host: ID<Host>, after last: ID<Server>?) throws -> Server? {
    let id = try value(
      ID<Server>.self,
      "SELECT id FROM server WHERE host_id = ? AND erased_at IS NULL AND id > ? ORDER BY id LIMIT 1",
      [host, last?.value ?? 0])
    return try id.flatMap { try server($0) }
  }

  /// The least loaded host with room for the server, and with nothing of it yet; nil where there is none.
  fileprivate func heir(of server: Server, among heirs: Set<ID<Host>>) throws -> Host? {
    let beside = try rows(
      "SELECT other_host_id FROM server_move WHERE server_id = ? AND other_host_id IS NOT NULL", [server.id]
    ) { row in try row.next(ID<Host>.self) }
    // One that is to be removed needs no room to run.
    let isDeleted = try serverUnderWork(server.id).isDeleted
    let share = isDeleted ? HostCapacity(vcpus: 0, memoryMiB: 0, storageGiB: 0) : try wholeShare(of: server.id)
    return try fitHost(forShare: share, at: server.location) { host in
      heirs.contains(host.id) && host.id != server.hostID && !beside.contains(host.id)
    }
  }

  fileprivate func fitHost(
    forShare share: HostCapacity, at location: String, where isFit: (Host) -> Bool
  ) throws -> Host? {
    do {
      return try chooseHost(forShare: share, at: location, where: isFit)
    } catch let failure as Failure where failure.code == .noCapacity {
      return nil
    }
  }

  /// Whether one of the heirs has room reserved for a server of the host, because a move has brought a part of it there.
  fileprivate func hasHeirBeside(_ id: ID<Host>, among heirs: Set<ID<Host>>) throws -> Bool {
    let beside: [Host] = try all(
      """
      SELECT DISTINCT \(Host.columns) FROM server JOIN server_move AS move ON move.server_id = server.id
      JOIN host ON host.id = move.other_host_id
      WHERE server.host_id = ? AND server.deleted_at IS NULL
      """,
      [id])
    return beside.contains { $0.state == .active && heirs.contains($0.id) }
  }

  /// With that of its rescue system.
  private func wholeShare(of server: ID<Server>) throws -> HostCapacity {
    let own = try reserved(by: server)
    let rescueGiB = try value(Int.self, "SELECT storage_gib FROM rescue WHERE server_id = ?", [server]) ?? 0
    return HostCapacity(vcpus: own.vcpus, memoryMiB: own.memoryMiB, storageGiB: own.storageGiB + rescueGiB)
  }

  /// From now on the server is the new host's, which takes the machine over before it does anything else for it.
  fileprivate func take(
    _ server: Server, from host: Host, to heir: Host, resuming steps: ResumedSteps, at now: Timestamp
  ) throws {
    let isToStart = try endMoves(of: server, at: now)
    try run("UPDATE server SET host_id = ?, updated_at = ? WHERE id = ?", [heir.id, now, server.id])
    for (id, sign) in [(host.id, -1), (heir.id, 1)] {
      try run(
        """
        UPDATE host SET reserved_storage_gib = reserved_storage_gib + ? * COALESCE((
          SELECT storage_gib FROM rescue WHERE server_id = ?), 0)
        WHERE id = ?
        """,
        [sign, server.id, id])
    }
    try resumeOperations(of: server.id, on: heir.id, steps, at: now)
    let move = try recordTakeover(of: server, from: host.id, to: heir.id, at: now)
    try touchFirewall(of: server.id)
    try resetUsage(of: server.id)
    try auditOperator(
      "server.move", account: server.accountID, server: server.id, operation: move,
      detail: "\(host.name), which is lost, to \(heir.name)", at: now)
    guard isToStart else { return }
    try endCopies(of: server.id, steps, at: now)
    try setStatus(.starting, of: server.id, at: now)
    try queue(.recover, on: server.id, by: nil, at: now)
  }

  /// The moves that are not over and have not brought the server anywhere.
  fileprivate func comingMoves(of server: ID<Server>) throws -> [ID<Core.Operation>] {
    try rows(
      """
      SELECT operation.id FROM operation JOIN server_move AS move ON move.operation_id = operation.id
      WHERE operation.server_id = ? AND operation.finished_at IS NULL AND move.switched_at IS NULL
      """,
      [server]
    ) { row in try row.next() }
  }

  /// Leaves the server where it is, as if it was not to be moved. The host that it was to go to removes what it has got of it, and may
  /// take it then.
  fileprivate func giveUpMoves(of server: Server, at now: Timestamp) throws {
    for move in try comingMoves(of: server.id) {
      let former = try value(
        ServerStatus.self, "SELECT former_status FROM operation WHERE id = ? AND former_status IS NOT NULL", [move])
      try giveUpMove(move, of: server.id, at: now)
      try finish(move, as: .failed, customerReason: Self.lostReason, operatorDetail: Self.lostReason, at: now)
      try endMove(move, of: server.id, at: now)
      guard server.status == .rebooting, let former, try !serverUnderWork(server.id).isDeleted else { continue }
      try setStatus(former, reason: former == .error ? Self.lostReason : nil, of: server.id, at: now)
    }
    try powerOffIfNext(server.id, at: now)
  }

  /// Ends the move that is not over, if any, wherever it has brought the server. Returns whether the server is to be started: it is
  /// active, or was before that move has shut it down.
  private func endMoves(of server: Server, at now: Timestamp) throws -> Bool {
    let moves: [(id: ID<Core.Operation>, isSwitched: Bool, former: ServerStatus?)] = try rows(
      """
      SELECT operation.id, move.switched_at IS NOT NULL, operation.former_status
      FROM operation JOIN server_move AS move ON move.operation_id = operation.id
      WHERE operation.server_id = ? AND operation.finished_at IS NULL
      """,
      [server.id]
    ) { row in (try row.next(), try row.next(), try row.next()) }
    for move in moves {
      if !move.isSwitched { try giveUpMove(move.id, of: server.id, at: now) }
      try finish(
        move.id, as: move.isSwitched ? .succeeded : .failed, customerReason: move.isSwitched ? nil : Self.lostReason,
        operatorDetail: move.isSwitched ? nil : Self.lostReason, at: now)
      try endMove(move.id, of: server.id, at: now)
    }
    guard try !serverUnderWork(server.id).isDeleted else { return false }
    return server.status == .active
      || server.status == .rebooting && moves.contains { $0.former == .active }
  }

  /// Whoever carries a step out at the lost host loses the lease.
  private func resumeOperations(
    of server: ID<Server>, on heir: ID<Host>, _ steps: ResumedSteps, at now: Timestamp
  ) throws {
    try run(
      """
      UPDATE operation SET host_id = ?, lease_token = NULL, lease_expires_at = NULL, failures = 0, not_before = ?,
        scheduled_at = ?
      WHERE server_id = ? AND finished_at IS NULL
      """,
      [heir, now, now, server])
    for step in steps.afterDefine {
      try run(
        "UPDATE operation SET step = ? WHERE server_id = ? AND finished_at IS NULL AND step = ?",
        [steps.define, server, step])
    }
  }

  /// It is in the history as a move that is over. What the lost host may still have is removed when it is back.
  private func recordTakeover(
    of server: Server, from host: ID<Host>, to heir: ID<Host>, at now: Timestamp
  ) throws -> ID<Core.Operation> {
    try run("UPDATE server_move SET is_awaited = 0 WHERE server_id = ? AND is_awaited = 1", [server.id])
    let operation = try value(
      ID<Core.Operation>.self,
      """
      INSERT INTO operation (server_id, host_id, kind, state, not_before, scheduled_at, created_at, started_at, finished_at)
      VALUES (?1, ?2, 'move', 'succeeded', ?3, ?3, ?3, ?3, ?3) RETURNING id
      """,
      [server.id, heir, now]
    ).orFail("the operation was not written")
    let address = server.address?.orderKey
    try run(
      """
      INSERT INTO server_move (operation_id, server_id, from_host_id, to_host_id, from_location, to_location,
        other_host_id, vcpus, memory_mib, storage_gib, old_address, new_address, switched_at, is_awaited)
      SELECT ?, id, ?, ?, location, location, ?, vcpus, memory_mib, storage_gib, ?, ?, ?, 1 FROM server WHERE id = ?
      """,
      [operation, host, heir, host, address, address, now, server.id])
    return operation
  }

  /// Nobody waits for a long copy of a server that is down before it is started again.
  private func endCopies(of server: ID<Server>, _ steps: ResumedSteps, at now: Timestamp) throws {
    try run(
      """
      UPDATE operation SET step = ?, customer_reason = ?, operator_detail = ?
      WHERE server_id = ? AND finished_at IS NULL AND kind IN ('backup', 'snapshot') AND customer_reason IS NULL
      """,
      [steps.cleanCopy, Self.lostReason, Self.lostReason, server])
  }
}
