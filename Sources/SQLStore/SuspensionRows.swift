import Core

enum SuspensionRows {
  /// Whether a server is to be off, and is paid as such: from the moment at which that is said.
  static let isSuspended = """
    (server.operator_suspended_at IS NOT NULL OR account.operator_suspended_at IS NOT NULL
      OR account.credit_suspended_at IS NOT NULL)
    """

  /// Servers that are to be off.
  static let suspended = """
    SELECT id FROM server WHERE operator_suspended_at IS NOT NULL AND deleted_at IS NULL
    UNION SELECT server.id FROM account JOIN server ON server.account_id = account.id
    WHERE account.credit_suspended_at IS NOT NULL AND server.deleted_at IS NULL
    UNION SELECT server.id FROM account JOIN server ON server.account_id = account.id
    WHERE account.operator_suspended_at IS NOT NULL AND server.deleted_at IS NULL
    """

  static let isIdle = """
    NOT EXISTS (SELECT 1 FROM operation WHERE operation.server_id = server.id AND operation.finished_at IS NULL
      AND \(Core.Operation.mayChangePower))
    """
}

extension SQLConnection {
  /// For what would wake a server or change its machine: a cause counts from the moment at which it is there, and not only from
  /// when the server is down.
  func requireNotSuspended(_ server: ID<Server>) throws {
    let isSuspended = try value(
      Bool.self,
      """
      SELECT \(SuspensionRows.isSuspended) FROM server JOIN account ON account.id = server.account_id
      WHERE server.id = ?
      """,
      [server])
    if isSuspended == true { throw Failure(.wrongState, "Server is suspended.") }
  }

  func runOutOfCredit(_ account: ID<Account>, _ tariff: Tariff, at now: Timestamp) throws {
    try run(
      "UPDATE account SET credit_suspended_at = ?, deletion_at = ? WHERE id = ? AND credit_suspended_at IS NULL",
      [now, now + .seconds(tariff.suspensionDays * 86_400), account])
  }

  /// Returns whether the account was out of credit, and is no more: it can pay the next hour of all its servers.
  func liftCreditSuspension(of account: ID<Account>, _ tariff: Tariff, at now: Timestamp) throws -> Bool {
    guard try isOutOfCredit(account), try balance(of: account) >= hourlyCost(of: account, tariff, whenPaid: true)
    else { return false }
    try settleHours(ofServersOf: account, tariff, at: now)
    try run("UPDATE account SET credit_suspended_at = NULL, deletion_at = NULL WHERE id = ?", [account])
    return true
  }

  func isOutOfCredit(_ account: ID<Account>) throws -> Bool {
    try value(Int64.self, "SELECT id FROM account WHERE id = ? AND credit_suspended_at IS NOT NULL", [account]) != nil
  }

  /// - Parameter isPaid: Whether what is off for want of credit counts as if it were back.
  func hourlyCost(of account: ID<Account>, _ tariff: Tariff, whenPaid isPaid: Bool = false) throws -> Money {
    let isSuspended =
      isPaid
      ? "(server.operator_suspended_at IS NOT NULL OR account.operator_suspended_at IS NOT NULL)"
      : SuspensionRows.isSuspended
    return try rows(
      """
      SELECT server.price_per_hour, server.is_backup_enabled, \(isSuspended)
      FROM server JOIN account ON account.id = server.account_id
      WHERE server.account_id = ? AND server.deleted_at IS NULL AND server.next_hour_at IS NOT NULL
      """,
      [account]
    ) { row in
      tariff.cost(
        of: BilledHour(price: try row.next(), isBackupEnabled: try row.next(), isSuspended: try row.next())
      ).total
    }.reduce(.zero, +)
  }

  /// Shuts it down, or calls what is off suspended.
  func takeDown(_ id: ID<Server>, from status: ServerStatus, at now: Timestamp) throws {
    let afterwards: ServerStatus = status == .active ? .active : .stopped
    try run("UPDATE server SET resume_status = COALESCE(resume_status, ?) WHERE id = ?", [afterwards, id])
    guard status != .stopped else { return try setStatus(.suspended, of: id, at: now) }
    try setStatus(.stopping, of: id, at: now)
    try queue(.stop, on: id, by: nil, at: now)
  }

  /// Makes it again what it was.
  func bringBack(_ id: ID<Server>, to status: ServerStatus, at now: Timestamp) throws {
    try judgeRunningHourAgain(of: id, at: now)
    try run("UPDATE server SET resume_status = NULL WHERE id = ?", [id])
    guard status == .active else { return try setStatus(.stopped, of: id, at: now) }
    try setStatus(.starting, of: id, at: now)
    try queue(.start, on: id, by: nil, at: now)
  }

  /// The hour in which a server comes back is paid as a whole, unless it was paid before; of those before it nothing is
  /// owed any more.
  private func judgeRunningHourAgain(of id: ID<Server>, at now: Timestamp) throws {
    let length = ServerHour.length.milliseconds
    if let time = try billingTime(at: now) {
      try run(
        """
        UPDATE server SET next_hour_at = next_hour_at + (?1 - next_hour_at) / ?2 * ?2,
          next_hour_number = next_hour_number + (?1 - next_hour_at) / ?2
        WHERE id = ?3 AND next_hour_at <= ?1
        """,
        [time, length, id])
      try run(
        """
        UPDATE server SET next_hour_at = next_hour_at - ?2, next_hour_number = next_hour_number - 1
        WHERE id = ?3 AND next_hour_at > ?1 AND next_hour_number > 0 AND NOT EXISTS (
          SELECT 1 FROM ledger_entry WHERE server_id = server.id AND reason = 'charge'
            AND number = server.next_hour_number - 1)
        """,
        [time, length, id])
    }
  }
}
