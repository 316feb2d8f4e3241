package import Core

extension SQLStore {
  package func server(under lease: Lease) async throws -> Server? {
    let operation = lease.operation
    // As `isOvertaken` tells, in one query, because it is asked before each step.
    let query = operation.kind == .delete ? Server.queryUnderLease : Server.queryUnderLeaseUnlessDeleted
    return try await read { database in
      guard try !database.isAboutHiddenCopy(operation) else { return nil }
      return try database.first(query, [operation.id, lease.token.text])
    }
  }

  package func commit(
    _ outcome: StepOutcome, of lease: Lease, keepsLease: Bool, at now: Timestamp
  ) async throws -> CommitResult {
    try await write { [tariff] database in
      guard let operation = try database.operation(under: lease) else { return .fenced }
      let server = try database.serverUnderWork(operation.serverID)
      if let effect = outcome.effect {
        try database.apply(effect, of: operation, outcome.next, to: server, tariff, at: now)
        try database.applyToCopy(effect, of: outcome.next, by: operation, at: now)
      }
      if try database.isOvertaken(operation, on: server) {
        try database.finish(operation.id, as: .cancelled, at: now)
        if !server.isDeleted { try database.powerOffIfNext(server.id, at: now) }
        return .cancelled
      }
      try database.apply(outcome.next, to: operation.id, keepsLease: keepsLease, at: now)
      if outcome.next.isEnd {
        if operation.kind == .resize { try database.reserveByPlan(server.id) }
        if operation.kind == .move { try database.endMove(operation.id, of: server.id, at: now) }
        try database.powerOffIfNext(server.id, at: now)
      }
      return .committed
    }
  }
}

/// What the effect of a step depends on.
struct ServerUnderWork {
  let id: ID<Server>
  let accountID: ID<Account>
  let creditHold: Money
  let wasEverReady: Bool
  let status: ServerStatus
  let isDeleted: Bool
  let isToBeSuspended: Bool
  let isInRescue: Bool
}

extension SQLConnection {
  func serverUnderWork(_ id: ID<Server>) throws -> ServerUnderWork {
    let found = try rows(
      """
      SELECT account_id, credit_hold, was_ever_ready, status, deleted_at IS NOT NULL, resume_status IS NOT NULL,
        EXISTS (SELECT 1 FROM rescue WHERE server_id = server.id AND is_entered = 1)
      FROM server WHERE id = ?
      """,
      [id]
    ) { row in
      ServerUnderWork(
        id: id, accountID: try row.next(), creditHold: try row.next(), wasEverReady: try row.next(),
        status: try row.next(), isDeleted: try row.next(), isToBeSuspended: try row.next(), isInRescue: try row.next())
    }
    return try found.first.orFail("there is no server \(id)")
  }

  // MARK: The operation

  /// Whether the server, or the copy that is being made, was deleted meanwhile.
  fileprivate func isOvertaken(_ operation: Operation, on server: ServerUnderWork) throws -> Bool {
    try operation.kind != .delete && (server.isDeleted || isAboutHiddenCopy(operation))
  }

  /// Whether the copy that is being made was deleted meanwhile.
  fileprivate func isAboutHiddenCopy(_ operation: Operation) throws -> Bool {
    switch operation.kind {
    case .backup, .snapshot: try isHidden(operation.copyID.orFail("it is about no copy"))
    default: false
    }
  }

  fileprivate func apply(
    _ next: StepOutcome.Next, to id: ID<Operation>, keepsLease: Bool = false, at now: Timestamp
  ) throws {
    switch next {
    case .advance(let step) where keepsLease:
      try run(
        "UPDATE operation SET step = ?, failures = 0, not_before = ?, scheduled_at = ? WHERE id = ?",
        [step, now, now, id])
    case .advance(let step):
      try run(
        """
        UPDATE operation SET step = ?, failures = 0, not_before = ?, scheduled_at = ?,
          lease_token = NULL, lease_expires_at = NULL
        WHERE id = ?
        """,
        [step, now, now, id])
    case .wait(let time, _), .postpone(let time):
      try run(
        """
        UPDATE operation SET not_before = ?, scheduled_at = ?, lease_token = NULL, lease_expires_at = NULL
        WHERE id = ?
        """,
        [time, now, id])
    case .retry(let time, let operatorDetail):
      // If the reason for the failure is known already, it stays.
      try run(
        """
        UPDATE operation SET failures = failures + 1, not_before = ?, scheduled_at = ?,
          operator_detail = CASE WHEN customer_reason IS NULL THEN ? ELSE operator_detail END,
          lease_token = NULL, lease_expires_at = NULL
        WHERE id = ?
        """,
        [time, now, operatorDetail, id])
    case .undo(let step, let customerReason, let operatorDetail):
      try run(
        """
        UPDATE operation SET step = ?, failures = 0, not_before = ?, scheduled_at = ?, customer_reason = ?,
          operator_detail = ?, lease_token = NULL, lease_expires_at = NULL
        WHERE id = ?
        """,
        [step, now, now, customerReason, operatorDetail, id])
    case .succeed:
      try finish(id, as: .succeeded, at: now)
    case .fail(let customerReason, let operatorDetail):
      try finish(id, as: .failed, customerReason: customerReason, operatorDetail: operatorDetail, at: now)
    }
  }

  func finish(
    _ id: ID<Operation>, as state: Operation.State, customerReason: String? = nil, operatorDetail: String? = nil,
    at now: Timestamp
  ) throws {
    try run(
      """
      UPDATE operation SET state = ?, finished_at = ?, customer_reason = ?,
        operator_detail = COALESCE(?, operator_detail), lease_token = NULL, lease_expires_at = NULL
      WHERE id = ?
      """,
      [state, now, customerReason, operatorDetail, id])
  }

  // MARK: The server

  fileprivate func apply(
    _ effect: StepOutcome.Effect, of operation: Operation, _ next: StepOutcome.Next, to server: ServerUnderWork,
    _ tariff: Tariff, at now: Timestamp
  ) throws {
    switch effect {
    case .imageChosen(let version):
      try run("UPDATE server SET image_version = ? WHERE id = ?", [version, server.id])
    case .machineDefined:
      try defined(server.id)
    case .becameActive:
      try becomeActive(server, tariff, at: now)
    case .becameActiveInstantly:
      try becomeActive(server, tariff, at: now)
      try run("UPDATE server SET is_instant = 1 WHERE id = ?", [server.id])
    case .becameStopped:
      // A server that was stopped because of a suspension becomes suspended at once, and is never just stopped.
      try setStatus(server.isToBeSuspended ? .suspended : .stopped, of: server.id, at: now)
      try resetUsage(of: server.id)
    case .enteredError:
      try enterError(server, next, at: now)
    case .neverMade:
      try enterError(server, next, at: now)
      try giveShareBack(of: server.id, at: now)
    case .resized:
      try defined(server.id)
      try run("UPDATE server SET plan_id = ?, updated_at = ? WHERE id = ?", [operation.subjectID, now, server.id])
      try touchFirewall(of: server.id)
      try reserveByPlan(server.id)
      let price = try value(
        Money.self, "SELECT plan.price_per_hour FROM plan JOIN server ON server.plan_id = plan.id WHERE server.id = ?",
        [server.id])
      if !server.isDeleted {
        try changePrice(of: server.id, server.accountID, to: price.orFail("the plan is missing"), at: now)
      }
    case .systemReplaced(let imageVersion):
      try replaceSystem(of: server.id, by: operation, imageVersion, at: now)
    case .leftToSource: try leaveMoveToSource(operation.id, of: server, at: now)
    case .leftToTarget: try leaveMoveToTarget(operation.id)
    case .moved: try switchHost(of: server.id, by: operation.id, at: now)
    case .rolledBack:
      try rollBack(server, from: operation, next, at: now)
    case .erased: try erase(server, at: now)
    case .rescueEntered(let imageVersion): try enterRescue(server.id, by: operation, imageVersion)
    case .rescueLeft: try leaveRescue(server, at: now)
    case .copyCompleted, .copyFailed, .copyErased, .restored: break
    }
  }

  func becomeActive(_ server: ServerUnderWork, _ tariff: Tariff, at now: Timestamp) throws {
    try setStatus(.active, of: server.id, at: now)
    if server.isInRescue {
      // What is known of the server's own disk stays as it is: the rescue system has booted.
      try run("UPDATE server SET was_ever_ready = 1, resume_status = NULL WHERE id = ?", [server.id])
      try run("UPDATE rescue SET awaits_first_boot = 0, root_password_hash = NULL WHERE server_id = ?", [server.id])
    } else {
      try run(
        """
        UPDATE server SET was_ever_ready = 1, awaits_first_boot = 0, root_password_hash = NULL, resume_status = NULL,
          user_data_failed = 0, is_user_data_unknown = 0, awaits_user_data = CASE
            WHEN awaits_first_boot = 1 AND EXISTS (SELECT 1 FROM server_user_data WHERE server_id = server.id) THEN 1
            ELSE awaits_user_data END
        WHERE id = ?
        """,
        [server.id])
    }
    // A server that was deleted before it was ready costs nothing.
    if !server.isDeleted {
      try releaseHold(of: server, at: now)
      if !server.wasEverReady { try chargeFirstHour(of: server.id, server.accountID, tariff, at: now) }
    }
  }

  /// Releases all that the server has. Nothing of its machine is left.
  func erase(_ server: ServerUnderWork, at now: Timestamp) throws {
    try releaseAddresses(of: server.id, at: now)
    try eraseFirewall(of: server.id)
    try forgetMetrics(of: server.id)
    try releaseHold(of: server, at: now)
    try run(
      """
      UPDATE server SET deleted_at = COALESCE(deleted_at, ?), erased_at = COALESCE(erased_at, ?), has_disk = 0,
        authorized_key = NULL, root_password_hash = NULL, backup_due_at = NULL
      WHERE id = ?
      """,
      [now, now, server.id])
    try forgetOptions(of: server.id)
    try run("DELETE FROM rescue WHERE server_id = ?", [server.id])
    try eraseCopies(of: server.id, at: now)
  }

  private func defined(_ server: ID<Server>) throws {
    try run("UPDATE server SET has_disk = 1, awaits_new_disk = 0 WHERE id = ?", [server])
  }

  private func replaceSystem(
    of server: ID<Server>, by operation: Operation, _ imageVersion: String, at now: Timestamp
  ) throws {
    try run(
      """
      UPDATE server SET operating_system_id = ?, image_version = ?, awaits_new_disk = 1, awaits_first_boot = 1,
        is_instant = 0,
        (authorized_key, root_password_hash) =
          (SELECT authorized_key, root_password_hash FROM rebuild WHERE operation_id = ?),
        updated_at = ?
      WHERE id = ?
      """,
      [operation.subjectID, imageVersion, operation.id, now, server])
    // A server that its customer has deleted meanwhile keeps no user data.
    let isSeen = try value(Int64.self, "SELECT id FROM server WHERE id = ? AND deleted_at IS NULL", [server]) != nil
    if isSeen { try replaceUserData(of: server, by: operation.id) }
  }

  private func enterError(_ server: ServerUnderWork, _ next: StepOutcome.Next, at now: Timestamp) throws {
    try setStatus(.error, reason: next.customerReason, of: server.id, at: now)
    if !server.wasEverReady {
      try releaseHold(of: server, at: now)
    }
  }

  /// Undoes an operation as its own step would.
  func rollBack(
    _ server: ServerUnderWork, by operation: Operation, because reason: String, atStep step: String, at now: Timestamp
  ) throws {
    let undo = StepOutcome.Next.undo(by: step, customerReason: reason, operatorDetail: reason)
    try rollBack(server, from: operation, undo, at: now)
    try apply(undo, to: operation.id, at: now)
  }

  private func rollBack(
    _ server: ServerUnderWork, from operation: Operation, _ next: StepOutcome.Next, at now: Timestamp
  ) throws {
    if operation.kind == .move { try giveUpMove(operation.id, of: server.id, at: now) }
    let former = try value(
      ServerStatus.self, "SELECT former_status FROM operation WHERE id = ? AND former_status IS NOT NULL",
      [operation.id])
    guard !server.isDeleted, server.status == .rebooting, let former else { return }
    switch former {
    // The operation brings it up again before it fails.
    case .active: break
    case .error: try enterError(server, next, at: now)
    case .provisioning, .stopping, .stopped, .starting, .rebooting, .suspended:
      try setStatus(former, of: server.id, at: now)
    }
  }

  private func releaseHold(of server: ServerUnderWork, at now: Timestamp) throws {
    try run("UPDATE server SET credit_hold = 0 WHERE id = ?", [server.id])
    try append(.release, server.creditHold, to: server.accountID, for: server.id, at: now)
  }
}

extension StepOutcome.Next {
  var customerReason: String? {
    switch self {
    case .fail(let customerReason, _), .undo(_, let customerReason, _): customerReason
    case .advance, .wait, .postpone, .retry, .succeed: nil
    }
  }
}
