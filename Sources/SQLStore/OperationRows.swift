import Core
import GRDB

import struct Foundation.UUID

extension Operation: RowReadable {
  static let columns = """
    id, server_id, kind, subject_id, state, step, failures, step_started_at, requested_by, created_at, finished_at, \
    customer_reason, operator_detail
    """

  init(from row: inout RowReader) throws {
    self.init(
      id: try row.next(), serverID: try row.next(), kind: try row.next(), subjectID: try row.next(),
      state: try row.next(), step: try row.next(), failures: try row.next(), stepStartedAt: try row.next(),
      requestedBy: try row.next(),
      createdAt: try row.next(), finishedAt: try row.next(), customerReason: try row.next(),
      operatorDetail: try row.next())
  }
}

extension Database {
  func queue(
    _ kind: Operation.Kind, about subject: Int64? = nil, on server: ID<Server>, by token: ID<Token>?, at now: Timestamp
  ) throws {
    try run(
      """
      INSERT INTO operation (server_id, kind, subject_id, state, not_before, requested_by, created_at)
      VALUES (?, ?, ?, 'queued', ?, ?, ?)
      """,
      [server, kind, subject, now, token, now])
  }

  /// One that waits already will see the new hostname; one that runs may have read the old one.
  func queueConfigure(_ server: ID<Server>, by caller: Caller, at now: Timestamp) throws {
    let waiting = try value(
      Int64.self, "SELECT id FROM operation WHERE server_id = ? AND kind = 'configure' AND state = 'queued'", [server])
    if waiting == nil {
      try queue(.configure, on: server, by: caller.tokenID, at: now)
    }
  }

  /// Ends what a delete has overtaken, unless a step of it is still in flight.
  func cancelOvertaken(at now: Timestamp) throws {
    try run(
      """
      UPDATE operation SET state = 'cancelled', finished_at = ?, lease_token = NULL, lease_expires_at = NULL
      WHERE finished_at IS NULL AND kind <> 'delete' AND (lease_expires_at IS NULL OR lease_expires_at <= ?)
        AND server_id IN (SELECT id FROM server WHERE deleted_at IS NOT NULL AND erased_at IS NULL)
      """,
      [now, now])
  }

  /// The operation that the lease was given for, while it holds.
  func operation(under lease: Lease) throws -> Operation? {
    try first(
      "SELECT \(Operation.columns) FROM operation WHERE id = ? AND lease_token = ?",
      [lease.operation.id, lease.token.text])
  }
}
