package import Core

package import struct Foundation.UUID

extension SQLStore {
  package func operations(of id: ID<Server>) async throws -> [Operation] {
    try await read { database in
      try database.all("SELECT \(Operation.columns) FROM operation WHERE server_id = ? ORDER BY id", [id])
    }
  }

  package func lastFailure(of id: ID<Server>) async throws -> Operation? {
    try await read { database in
      try database.first(
        """
        SELECT \(Operation.columns) FROM operation WHERE server_id = ? AND state = 'failed' ORDER BY id DESC LIMIT 1
        """,
        [id])
    }
  }

  package func operation(_ id: ID<Operation>) async throws -> Operation? {
    try await read { database in
      try database.first("SELECT \(Operation.columns) FROM operation WHERE id = ?", [id])
    }
  }

  package func claimOperations(on host: ID<Host>, as tokens: [UUID], at now: Timestamp) async throws -> [Lease] {
    try await write { database in
      try database.cancelOvertaken(at: now)
      var leases: [Lease] = []
      for token in tokens {
        let claimed: Operation? = try database.first(Self.claim, [token.text, now, now, host, now, host, now])
        guard let claimed else { break }
        leases.append(Lease(operation: claimed, token: token))
      }
      return leases
    }
  }

  package func nextOperationDue(on host: ID<Host>) async throws -> Timestamp? {
    try await read { database in
      try database.value(
        Timestamp.self,
        """
        SELECT candidate.not_before FROM operation AS candidate
        WHERE candidate.host_id = ? AND \(Self.isClaimable)
        ORDER BY candidate.not_before, candidate.id LIMIT 1
        """,
        [host])
    }
  }

  package func hasten(_ operations: [ID<Operation>], at now: Timestamp) async throws {
    try await write { database in
      for operation in operations {
        try database.run(
          "UPDATE operation SET not_before = ?, scheduled_at = ? WHERE id = ? AND finished_at IS NULL",
          [now, now, operation])
      }
    }
  }

  package func releaseLeases(_ tokens: [UUID], on host: ID<Host>) async throws {
    try await write { database in
      for token in tokens {
        try database.run(
          """
          UPDATE operation SET lease_token = NULL, lease_expires_at = NULL
          WHERE host_id = ? AND finished_at IS NULL AND lease_token = ?
          """,
          [host, token.text])
      }
    }
  }

  package func releaseAllLeases() async throws {
    _ = try await write { database in
      // What waited for a slot or a retry waited for the process that is dead, and is due now.
      try database.run(
        """
        UPDATE operation SET lease_token = NULL, lease_expires_at = NULL, not_before = scheduled_at
        WHERE finished_at IS NULL
        """)
      try database.run("UPDATE repeatable_request SET lease_expires_at = 0 WHERE status IS NULL")
    }
  }

  package func replaceAddress(
    _ family: ServerAddress.Family, of id: ID<Server>, pools: AddressPools.Pair, lease: Lease, at now: Timestamp
  ) async throws -> ServerAddress? {
    try await write { database in
      guard let operation = try database.operation(under: lease), operation.serverID == id,
        let server = try database.server(id)
      else { return nil }
      let isArriving = operation.kind == .move
      let location = isArriving ? try database.move(operation.id).location : server.location
      do {
        return try database.replaceFirstAddress(
          family, of: id, pools: pools, location: location, isArriving: isArriving, at: now)
      } catch let failure as Failure where failure.code == .noCapacity {
        return nil
      }
    }
  }

  /// The operation has no lease and is the oldest unfinished one of its server. A server's operations run one at a time, in
  /// their order: the others wait, even while the oldest one waits itself. All wait while its host has still to take the machine over.
  private static let isClaimable = """
    candidate.finished_at IS NULL AND candidate.lease_token IS NULL AND NOT EXISTS (
      SELECT 1 FROM operation AS earlier
      WHERE earlier.server_id = candidate.server_id AND earlier.id < candidate.id AND earlier.finished_at IS NULL)
      AND NOT EXISTS (SELECT 1 FROM server_move WHERE server_move.server_id = candidate.server_id AND is_awaited = 1)
    """

  /// `lease_expires_at` is when the lease was given, for people who look at the row; no query uses it.
  private static let claim = """
    UPDATE operation SET state = 'running', lease_token = ?, lease_expires_at = ?,
      started_at = COALESCE(started_at, ?)
    WHERE id = COALESCE(
      (SELECT candidate.id FROM operation AS candidate
       WHERE candidate.host_id = ? AND candidate.scheduled_at > ? AND \(Self.isClaimable)
       ORDER BY candidate.scheduled_at, candidate.id LIMIT 1),
      (SELECT candidate.id FROM operation AS candidate
       WHERE candidate.host_id = ? AND candidate.not_before <= ? AND \(Self.isClaimable)
       ORDER BY candidate.not_before, candidate.id LIMIT 1))
    RETURNING \(Operation.columns)
    """
}
