package import Core
import GRDB

import struct Foundation.UUID

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

  package func claimOperation(at now: Timestamp, leaseUntil: Timestamp) async throws -> Lease? {
    try await write { database in
      try database.cancelOvertaken(at: now)
      let token = UUID()
      let claimed: Operation? = try database.first(
        """
        UPDATE operation SET state = 'running', lease_token = ?, lease_expires_at = ?,
          started_at = COALESCE(started_at, ?),
          step_started_at = CASE WHEN lease_token IS NULL THEN COALESCE(step_started_at, ?) ELSE ? END
        WHERE id = (
          SELECT candidate.id FROM operation AS candidate
          WHERE candidate.finished_at IS NULL AND candidate.not_before <= ?
            AND (candidate.lease_expires_at IS NULL OR candidate.lease_expires_at <= ?)
            AND \(Self.isNextOfItsServer)
          ORDER BY candidate.not_before, candidate.id LIMIT 1)
        RETURNING \(Operation.columns)
        """,
        [token.text, leaseUntil, now, now, now, now, now])
      return claimed.map { Lease(operation: $0, token: token) }
    }
  }

  package func nextOperationDue() async throws -> Timestamp? {
    try await read { database in
      // MIN of no rows is a row with NULL.
      try database.value(
        Timestamp?.self,
        """
        SELECT MIN(CASE WHEN candidate.lease_expires_at > candidate.not_before
          THEN candidate.lease_expires_at ELSE candidate.not_before END)
        FROM operation AS candidate
        WHERE candidate.finished_at IS NULL AND \(Self.isNextOfItsServer)
        """) ?? nil
    }
  }

  package func renew(_ lease: Lease, until: Timestamp) async throws -> Bool {
    try await write { database in
      try database.run(
        "UPDATE operation SET lease_expires_at = ? WHERE id = ? AND lease_token = ?",
        [until, lease.operation.id, lease.token.text]) > 0
    }
  }

  package func releaseAllLeases() async throws {
    _ = try await write { database in
      try database.run(
        """
        UPDATE operation SET lease_token = NULL, lease_expires_at = NULL, step_started_at = NULL
        WHERE finished_at IS NULL
        """)
      try database.run("UPDATE repeatable_request SET lease_expires_at = 0 WHERE status IS NULL")
    }
  }

  package func replaceAddress(of id: ID<Server>, pool: AddressPool, lease: Lease) async throws -> IPv4Address? {
    try await write { database in
      guard try database.operation(under: lease)?.serverID == id, let server = try database.server(id) else {
        return nil
      }
      do {
        return try database.assignAddress(of: pool, to: id, location: server.location)
      } catch let failure as Failure where failure.code == .noCapacity {
        return nil
      }
    }
  }

  /// Operations of a server go by their order: one at a time, and the others wait, even for one that waits itself.
  private static let isNextOfItsServer = """
    NOT EXISTS (
      SELECT 1 FROM operation AS earlier
      WHERE earlier.server_id = candidate.server_id AND earlier.id < candidate.id AND earlier.finished_at IS NULL)
    """
}
