package import Core

extension SQLStore {
  /// How long to wait after a stop has failed before the server is stopped again.
  fileprivate static let pauseAfterFailure = Duration.seconds(60)

  package func isSuspended(_ id: ID<Server>, of account: ID<Account>) async throws -> Bool? {
    try await read { database in
      guard try database.server(id, of: account) != nil else { return nil }
      return try database.isSuspended(id)
    }
  }

  package func applySuspensions(limit: Int, at now: Timestamp) async throws -> [ID<Server>] {
    let isAny = try await read { database in
      let down = try database.serversToTakeDown(limit: 1, at: now)
      return try !down.isEmpty || !database.serversToBringBack(limit: 1).isEmpty
    }
    guard isAny else { return [] }
    return try await write { database in
      let down = try database.serversToTakeDown(limit: limit, at: now)
      for (id, status) in down { try database.takeDown(id, from: status, at: now) }
      let back = try database.serversToBringBack(limit: limit)
      for (id, status) in back { try database.bringBack(id, to: status, at: now) }
      return (down + back).map(\.0)
    }
  }

  package func liftCreditSuspensions(at now: Timestamp) async throws -> [ID<Account>] {
    let accounts = try await read { [tariff] database in
      try database.rows(SuspensionRows.mayPayAgain) { row in try row.next(ID<Account>.self) }.filter {
        try database.balance(of: $0) >= database.costWhenPaid(of: $0, tariff, at: now)
      }
    }
    guard !accounts.isEmpty else { return [] }
    return try await write { [tariff] database in
      try accounts.filter { try database.liftCreditSuspension(of: $0, tariff, at: now) }
    }
  }

  package func deleteUnpaidServers(limit: Int, at now: Timestamp) async throws -> [ID<Server>] {
    let isAny = try await read { database in try !database.unpaidServers(limit: 1, at: now).isEmpty }
    guard isAny else { return [] }
    return try await write { [tariff] database in
      let unpaid = try database.unpaidServers(limit: limit, at: now)
      for (server, account) in unpaid {
        try database.tellServer(server, .serversDeleted, nil, at: now)
        try database.hideAndErase(server, by: nil, tariff, at: now)
        try database.auditOperator("server.delete", account: account, server: server, detail: "out of credit", at: now)
      }
      return unpaid.map(\.0)
    }
  }

  package func keepOff(_ id: ID<Server>, seenAfter event: Int64, at now: Timestamp) async throws -> Bool {
    try await write { database in
      guard try database.isIdle(id, in: .suspended, since: event) else { return false }
      try database.run("UPDATE server SET resume_status = COALESCE(resume_status, 'stopped') WHERE id = ?", [id])
      try database.queue(.stop, on: id, by: nil, at: now)
      return true
    }
  }

  package func suspend(
    account: ID<Account>, because reason: String?, by operator: Operator, at now: Timestamp
  ) async throws -> Bool {
    try await write { [tariff] database in
      guard let found = try database.account(account), found.closedAt == nil else { return false }
      try found.requireChangeable(by: `operator`)
      let wasSuspended = found.suspension.byOperatorSince != nil
      try database.settleHours(ofServersOf: account, tariff, at: now)
      try database.run(
        """
        UPDATE account SET operator_suspension_reason = ?1,
          operator_suspended_at = CASE WHEN CAST(?1 AS TEXT) IS NULL THEN NULL ELSE COALESCE(operator_suspended_at, ?2) END
        WHERE id = ?3
        """,
        [reason, now, account])
      if reason == nil { try database.judgeRunningHourAgain(ofServersOf: account, at: now) }
      try database.auditOperator(
        reason == nil ? "account.resume" : "account.suspend", by: `operator`, account: account, detail: reason, at: now)
      if wasSuspended != (reason != nil) { try database.tellSuspension(of: account, because: reason, at: now) }
      return true
    }
  }

  package func suspend(
    server id: ID<Server>, because reason: String?, by operator: Operator, at now: Timestamp
  ) async throws -> Bool {
    try await write { [tariff] database in
      let account = try database.value(
        ID<Account>.self, "SELECT account_id FROM server WHERE id = ? AND deleted_at IS NULL", [id])
      guard let account else { return false }
      let wasSuspended = try database.isSuspendedByOperator(id)
      try database.settleHours(of: id, tariff, at: now)
      try database.run(
        """
        UPDATE server SET operator_suspension_reason = ?1,
          operator_suspended_at = CASE WHEN CAST(?1 AS TEXT) IS NULL THEN NULL ELSE COALESCE(operator_suspended_at, ?2) END
        WHERE id = ?3
        """,
        [reason, now, id])
      if reason == nil { try database.judgeRunningHourAgain(ofServersOf: account, only: id, at: now) }
      try database.auditOperator(
        reason == nil ? "server.resume" : "server.suspend", by: `operator`, account: account, server: id,
        detail: reason, at: now)
      if wasSuspended != (reason != nil) {
        try database.tellServer(
          id, reason == nil ? .serversResumed : .serversSuspended, reason?.isEmpty == true ? nil : reason, at: now)
      }
      return true
    }
  }
}

extension SQLConnection {
  /// Tells that the operator has suspended the account, or has lifted that where the reason is nil.
  fileprivate func tellSuspension(of account: ID<Account>, because reason: String?, at now: Timestamp) throws {
    guard let reason else { return try tellResumed(account, after: .operator, at: now) }
    var facts = Notice.Facts()
    facts.cause = .operator
    facts.reason = reason.isEmpty ? nil : reason
    try tell(.accountSuspended, of: account, facts, at: now)
  }

  fileprivate func isSuspendedByOperator(_ id: ID<Server>) throws -> Bool {
    try value(Int64.self, "SELECT id FROM server WHERE id = ? AND operator_suspended_at IS NOT NULL", [id]) != nil
  }

  fileprivate func serversToTakeDown(limit: Int, at now: Timestamp) throws -> [(ID<Server>, ServerStatus)] {
    try rows(
      """
      SELECT server.id, server.status FROM server
      WHERE server.id IN (\(SuspensionRows.suspended)) AND \(SuspensionRows.mayBeStopped)
        AND (server.status IN ('active', 'stopped') OR (server.status = 'error' AND server.has_disk = 1))
        AND NOT EXISTS (SELECT 1 FROM operation WHERE operation.server_id = server.id AND operation.kind = 'stop'
          AND operation.state = 'failed' AND operation.finished_at BETWEEN ? AND ?)
      ORDER BY server.id LIMIT ?
      """,
      [now - SQLStore.pauseAfterFailure, now, limit]
    ) { row in (try row.next(), try row.next()) }
  }

  fileprivate func serversToBringBack(limit: Int) throws -> [(ID<Server>, ServerStatus)] {
    try rows(
      """
      SELECT server.id, COALESCE(server.resume_status, 'stopped') FROM server JOIN account ON account.id = server.account_id
      WHERE server.status = 'suspended' AND server.deleted_at IS NULL AND NOT \(SuspensionRows.isSuspended)
        AND \(SuspensionRows.isIdle)
      ORDER BY server.id LIMIT ?
      """,
      [limit]
    ) { row in (try row.next(), try row.next()) }
  }

  fileprivate func unpaidServers(limit: Int, at now: Timestamp) throws -> [(ID<Server>, ID<Account>)] {
    try rows(
      """
      SELECT server.id, account.id FROM account CROSS JOIN server
      WHERE server.account_id = account.id AND account.credit_suspended_at IS NOT NULL AND account.deletion_at <= ? AND server.deleted_at IS NULL
      ORDER BY server.id LIMIT ?
      """,
      [now, limit]
    ) { row in (try row.next(), try row.next()) }
  }
}
