import Core

import struct Foundation.UUID

extension Operation: RowReadable {
  static let columns = """
    id, server_id, kind, subject_id, state, step, failures, requested_by, created_at, finished_at, customer_reason, \
    operator_detail
    """

  init(from row: inout RowReader) throws {
    self.init(
      id: try row.next(), serverID: try row.next(), kind: try row.next(), subjectID: try row.next(),
      state: try row.next(), step: try row.next(), failures: try row.next(), requestedBy: try row.next(),
      createdAt: try row.next(), finishedAt: try row.next(), customerReason: try row.next(),
      operatorDetail: try row.next())
  }
}

extension SQLConnection {
  @discardableResult
  func queue(
    _ kind: Operation.Kind, about subject: Int64? = nil, on server: ID<Server>, by token: ID<Token>?, at now: Timestamp
  ) throws -> Operation {
    let queued: Operation? = try first(
      """
      INSERT INTO operation
        (server_id, host_id, kind, subject_id, state, not_before, scheduled_at, requested_by, created_at)
      VALUES (?, (SELECT host_id FROM server WHERE id = ?), ?, ?, 'queued', ?, ?, ?, ?)
      RETURNING \(Operation.columns)
      """,
      [server, server, kind, subject, now, now, token, now])
    try powerOffIfNext(server, at: now)
    return try queued.orFail("the operation was not written")
  }

  /// If the server's next operation takes it down, sets it to `rebooting`, so that no power action is accepted before it is up
  /// again. To be called in each transaction after which another operation may be the next one.
  func powerOffIfNext(_ id: ID<Server>, at now: Timestamp) throws {
    let next: Operation? = try first(
      "SELECT \(Operation.columns) FROM operation WHERE server_id = ? AND finished_at IS NULL ORDER BY id LIMIT 1", [id]
    )
    guard let next, next.state == .queued, !next.kind.powersOff.isEmpty, let server = try server(id),
      next.kind.powersOff.contains(server.status), try server.status != .error || mayComeUp(server, at: now)
    else { return }
    try run("UPDATE operation SET former_status = ? WHERE id = ?", [server.status, next.id])
    try setStatus(.rebooting, of: id, at: now)
  }

  /// Whether a server in error has a disk and is paid for; holds the credit for its first hour where that is needed.
  private func mayComeUp(_ server: Server, at now: Timestamp) throws -> Bool {
    guard server.machine.hasDisk else { return false }
    do {
      try holdFirstHourAgain(of: server, at: now)
    } catch let failure as Failure where failure.code == .insufficientCredit {
      return false
    }
    return true
  }

  /// Whether an operation of this kind waits or runs.
  func hasUnfinished(_ kind: Operation.Kind, on server: ID<Server>) throws -> Bool {
    try value(
      Int64.self, "SELECT id FROM operation WHERE server_id = ? AND kind = ? AND finished_at IS NULL", [server, kind])
      != nil
  }

  /// A queued operation will read the new hostname; a running one may have read the old one, so another one is queued.
  func queueConfigure(_ server: ID<Server>, by caller: Caller, at now: Timestamp) throws -> ID<Operation> {
    let waiting = try value(
      ID<Operation>.self,
      "SELECT id FROM operation WHERE server_id = ? AND kind = 'configure' AND state = 'queued'", [server])
    return try waiting ?? queue(.configure, on: server, by: caller.requesterID, at: now).id
  }

  /// Cancels operations of deleted servers and copies, unless a step is in flight.
  func cancelOvertaken(at now: Timestamp) throws {
    _ = try cancel(
      """
      kind <> 'delete' AND server_id IN
        (SELECT id FROM server INDEXED BY server_being_deleted WHERE deleted_at IS NOT NULL AND erased_at IS NULL)
      """,
      at: now)
    let served = try cancel(
      """
      kind IN ('backup', 'snapshot') AND subject_id IN
        (SELECT id FROM disk_copy WHERE deleted_at IS NOT NULL AND erased_at IS NULL)
      """,
      at: now)
    for server in served { try powerOffIfNext(server, at: now) }
  }

  /// Cancels the operations that meet the condition, except those with a step in flight. Returns their servers.
  private func cancel(_ condition: String, at now: Timestamp) throws -> [ID<Server>] {
    try rows(
      """
      UPDATE operation SET state = 'cancelled', finished_at = ?, lease_token = NULL, lease_expires_at = NULL
      WHERE finished_at IS NULL AND lease_token IS NULL AND \(condition)
      RETURNING server_id
      """,
      [now]
    ) { row in try row.next(ID<Server>.self) }
  }

  /// The operation of the lease; nil where the lease is lost.
  func operation(under lease: Lease) throws -> Operation? {
    try first(
      "SELECT \(Operation.columns) FROM operation WHERE id = ? AND lease_token = ?",
      [lease.operation.id, lease.token.text])
  }
}
