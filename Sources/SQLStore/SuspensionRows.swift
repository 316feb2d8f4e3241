import Core

enum SuspensionRows {
  /// Whether a server is suspended, and charged as such: from the moment of the suspension, and not only when it is off.
  static let isSuspended = """
    (server.operator_suspended_at IS NOT NULL OR account.operator_suspended_at IS NOT NULL
      OR account.credit_suspended_at IS NOT NULL)
    """

  /// Servers that are suspended. The accounts come first, because few are: SQLite keeps to the order of a CROSS JOIN.
  static let suspended = """
    SELECT id FROM server WHERE operator_suspended_at IS NOT NULL AND deleted_at IS NULL
    UNION SELECT server.id FROM account CROSS JOIN server
    WHERE server.account_id = account.id AND account.credit_suspended_at IS NOT NULL AND server.deleted_at IS NULL
    UNION SELECT server.id FROM account CROSS JOIN server
    WHERE server.account_id = account.id AND account.operator_suspended_at IS NOT NULL AND server.deleted_at IS NULL
    """

  /// Accounts out of credit that may be able to pay again. Accounts that cannot even pay the bare prices are left out: there
  /// may be many, and this query runs all the time.
  static let mayPayAgain = """
    SELECT id FROM account
    WHERE credit_suspended_at IS NOT NULL AND (operator_suspended_at IS NOT NULL OR balance >= (
      SELECT COALESCE(SUM(price_per_hour), 0) FROM server
      WHERE account_id = account.id AND deleted_at IS NULL AND next_hour_at IS NOT NULL
        AND operator_suspended_at IS NULL))
    ORDER BY id
    """

  /// A queued hostname change does not count: a customer who makes one again and again would never be suspended.
  static let mayBeStopped = hasNone("\(Core.Operation.mayChangePower) AND operation.kind <> 'configure'")

  static let isIdle = hasNone(Core.Operation.mayChangePower)

  private static func hasNone(_ condition: String) -> String {
    """
    NOT EXISTS (SELECT 1 FROM operation WHERE operation.server_id = server.id AND operation.finished_at IS NULL
      AND \(condition))
    """
  }
}

extension SQLConnection {
  /// For whatever would start a server or change its machine. A suspension counts from its beginning, and not only when the
  /// server is off.
  func requireNotSuspended(_ server: ID<Server>) throws {
    if try isSuspended(server) { throw Failure(.wrongState, "Server is suspended.") }
  }

  func isSuspended(_ server: ID<Server>) throws -> Bool {
    try value(
      Bool.self,
      """
      SELECT \(SuspensionRows.isSuspended) FROM server JOIN account ON account.id = server.account_id
      WHERE server.id = ?
      """,
      [server]) ?? false
  }

  func runOutOfCredit(_ account: ID<Account>, _ tariff: Tariff, at now: Timestamp) throws {
    let deletion = now + .seconds(tariff.suspensionDays * 86_400)
    let changed = try run(
      """
      UPDATE account SET credit_suspended_at = ?, deletion_at = ?, deletion_warned_days = NULL
      WHERE id = ? AND credit_suspended_at IS NULL
      """,
      [now, deletion, account])
    guard changed > 0 else { return }
    try announceDeletion(at: deletion, ofServersOf: account, at: now)
    var facts = Notice.Facts()
    facts.cause = .credit
    facts.deletionAt = deletion
    try tell(.accountSuspended, of: account, facts, at: now)
  }

  /// Writes events that tell when the servers will be deleted; nil where they will not be any more.
  private func announceDeletion(at deletion: Timestamp?, ofServersOf account: ID<Account>, at now: Timestamp) throws {
    try run(
      """
      INSERT INTO event (account_id, server_id, what, deletion_at, at)
      SELECT account_id, id, 'deletion', ?, ? FROM server WHERE account_id = ? AND deleted_at IS NULL ORDER BY id
      """,
      [deletion, now, account])
  }

  /// Lifts the suspension if the account can pay the next hour of all its servers. Returns whether it was lifted.
  func liftCreditSuspension(of account: ID<Account>, _ tariff: Tariff, at now: Timestamp) throws -> Bool {
    guard try isOutOfCredit(account), try balance(of: account) >= costWhenPaid(of: account, tariff, at: now)
    else { return false }
    try settleHours(ofServersOf: account, tariff, at: now)
    try run("UPDATE account SET credit_suspended_at = NULL, deletion_at = NULL WHERE id = ?", [account])
    try announceDeletion(at: nil, ofServersOf: account, at: now)
    try judgeRunningHourAgain(ofServersOf: account, at: now)
    try tellResumed(account, after: .credit, at: now)
    return true
  }

  /// Writes a notice, except where an account without servers was out of credit: it needs none.
  func tellResumed(_ id: ID<Account>, after cause: SuspensionCause, at now: Timestamp) throws {
    if try cause == .credit && !hasServers(id) { return }
    var facts = Notice.Facts()
    facts.cause = cause
    facts.remainingCause = try account(id)?.suspension.cause
    try tell(.accountResumed, of: id, facts, at: now)
  }

  func hasServers(_ account: ID<Account>) throws -> Bool {
    try value(Int64.self, "SELECT id FROM server WHERE account_id = ? AND deleted_at IS NULL LIMIT 1", [account]) != nil
  }

  func isOutOfCredit(_ account: ID<Account>) throws -> Bool {
    try value(Int64.self, "SELECT id FROM account WHERE id = ? AND credit_suspended_at IS NOT NULL", [account]) != nil
  }

  func hourlyCost(of account: ID<Account>, _ tariff: Tariff) throws -> Money {
    try rows(
      """
      SELECT server.price_per_hour, server.is_backup_enabled, \(SuspensionRows.isSuspended) \(Self.paidServers)
      """,
      [account]
    ) { row in
      tariff.cost(
        of: BilledHour(price: try row.next(), isBackupEnabled: try row.next(), isSuspended: try row.next())
      ).total
    }.reduce(.zero, +)
  }

  /// The cost of the current hour if no server were suspended for want of credit. For an hour that began before a price fell,
  /// the former price counts: otherwise the account would be out of credit again at once.
  func costWhenPaid(of account: ID<Account>, _ tariff: Tariff, at now: Timestamp) throws -> Money {
    try rows(
      """
      SELECT server.price_per_hour, (SELECT MAX(former_price.price_per_hour) FROM former_price
          WHERE former_price.server_id = server.id AND former_price.until_at > ?),
        server.is_backup_enabled,
        (server.operator_suspended_at IS NOT NULL OR account.operator_suspended_at IS NOT NULL) \(Self.paidServers)
      """,
      [now - ServerHour.length, account]
    ) { row in
      let (price, former) = (try row.next(Money.self), try row.next(Money?.self))
      return tariff.cost(
        of: BilledHour(
          price: max(price, former ?? .zero), isBackupEnabled: try row.next(), isSuspended: try row.next())
      ).total
    }.reduce(.zero, +)
  }

  private static var paidServers: String {
    """
    FROM server JOIN account ON account.id = server.account_id
    WHERE server.account_id = ? AND server.deleted_at IS NULL AND server.next_hour_at IS NOT NULL
    """
  }

  /// Suspends the server: shuts it down first, unless it is stopped.
  func takeDown(_ id: ID<Server>, from status: ServerStatus, at now: Timestamp) throws {
    let afterwards: ServerStatus = status == .active ? .active : .stopped
    try run("UPDATE server SET resume_status = COALESCE(resume_status, ?) WHERE id = ?", [afterwards, id])
    guard status != .stopped else { return try setStatus(.suspended, of: id, at: now) }
    try setStatus(.stopping, of: id, at: now)
    try queue(.stop, on: id, by: nil, at: now)
  }

  /// Gives the server the status that it had before its suspension, and starts it if it was active.
  func bringBack(_ id: ID<Server>, to status: ServerStatus, at now: Timestamp) throws {
    try passMissedHours(of: id, at: now)
    try judgeRunningHourAgain(of: id, at: now)
    try run("UPDATE server SET resume_status = NULL WHERE id = ?", [id])
    guard status == .active else { return try setStatus(.stopped, of: id, at: now) }
    try setStatus(.starting, of: id, at: now)
    try queue(.start, on: id, by: nil, at: now)
  }

  /// Makes the current hour due again for servers that were suspended but never taken down, if it has passed uncharged.
  func judgeRunningHourAgain(ofServersOf account: ID<Account>, only server: ID<Server>? = nil, at now: Timestamp) throws
  {
    let servers = try rows(
      """
      SELECT server.id FROM server JOIN account ON account.id = server.account_id
      WHERE server.account_id = ? AND server.deleted_at IS NULL AND server.next_hour_at IS NOT NULL
        AND server.status <> 'suspended' AND server.resume_status IS NULL AND NOT \(SuspensionRows.isSuspended)
      """,
      [account]
    ) { row in try row.next(ID<Server>.self) }
    for id in servers where server == nil || id == server { try judgeRunningHourAgain(of: id, at: now) }
  }

  /// Skips the hours in which the server was down: they are not charged.
  private func passMissedHours(of id: ID<Server>, at now: Timestamp) throws {
    try run(
      """
      UPDATE server SET next_hour_at = next_hour_at + (?1 - next_hour_at) / ?2 * ?2,
        next_hour_number = next_hour_number + (?1 - next_hour_at) / ?2
      WHERE id = ?3 AND next_hour_at <= ?1
      """,
      [now, ServerHour.length.milliseconds, id])
  }

  /// Makes the current hour due again, as a whole, unless it was charged.
  private func judgeRunningHourAgain(of id: ID<Server>, at now: Timestamp) throws {
    try run(
      """
      UPDATE server SET next_hour_at = next_hour_at - ?2, next_hour_number = next_hour_number - 1
      WHERE id = ?3 AND next_hour_at > ?1 AND next_hour_number > 0 AND NOT EXISTS (
        SELECT 1 FROM ledger_entry WHERE server_id = server.id AND reason = 'charge'
          AND number = server.next_hour_number - 1)
      """,
      [now, ServerHour.length.milliseconds, id])
  }
}
