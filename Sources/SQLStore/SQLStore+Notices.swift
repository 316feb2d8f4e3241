package import Core

extension SQLStore {
  /// Unless somebody pays, a credit warning is not repeated for so long: as servers come and go, credit lasts longer or
  /// shorter.
  fileprivate static let shortestRecovery = Duration.seconds(86_400)

  package func setNotices(areWritten: Bool) async throws {
    let isSaid = try await read { database in try database.areNoticesWritten() == areWritten }
    guard !isSaid else { return }
    try await write { database in
      guard areWritten else {
        try database.run("DELETE FROM setting WHERE key = ?", [NoticeSetting.key])
        try database.run("DELETE FROM notice WHERE finished_at IS NULL")
        return
      }
      try database.run(
        "INSERT INTO setting (key, value) VALUES (?, 'written') ON CONFLICT (key) DO NOTHING", [NoticeSetting.key])
    }
  }

  package func tellOfAccounts(
    after account: ID<Account>?, limit: Int, at now: Timestamp
  ) async throws -> ID<Account>? {
    let (found, last) = try await read { [tariff] database in
      let accounts = try database.watchedAccounts(after: account, limit: limit)
      let time = try database.billingTime(at: now) ?? now
      return (try accounts.filter { try database.news(of: $0, tariff, at: time) != nil }.map(\.id), accounts.last?.id)
    }
    guard !found.isEmpty else { return last }
    try await write { [tariff] database in
      guard try database.areNoticesWritten() else { return }
      let time = try database.billingTime(at: now) ?? now
      for id in found {
        guard let account = try database.watchedAccount(id), let news = try database.news(of: account, tariff, at: time)
        else { continue }
        try database.tell(news, of: account, at: now)
      }
    }
    return last
  }

  package func releaseNotices() async throws {
    try await write { database in try database.releaseNotices() }
  }

  package func claimNotices(limit: Int, at now: Timestamp) async throws -> [NoticeRecord] {
    let isAny = try await read { database in try !database.dueNotices(limit: 1, at: now).isEmpty }
    guard isAny else { return [] }
    return try await write { database in
      try database.dueNotices(limit: limit, at: now).map { id in
        try database.run("UPDATE notice SET is_claimed = 1, attempts = attempts + 1 WHERE id = ?", [id])
        return try database.first("\(NoticeRecord.query) WHERE notice.id = ?", [id])
          .orFail("the notice \(id) is gone")
      }
    }
  }

  package func finish(_ claimed: NoticeRecord, _ outcome: NoticeOutcome, at now: Timestamp) async throws {
    _ = try await write { database in
      switch outcome {
      case .delivered:
        try database.run(
          """
          UPDATE notice SET is_claimed = 0, finished_at = ?, failure = NULL
          WHERE id = ? AND is_claimed = 1 AND attempts = ?
          """,
          [now, claimed.id, claimed.attempts])
      case .failed(let reason, let nextAt):
        try database.run(
          """
          UPDATE notice SET is_claimed = 0, not_before = ?, scheduled_at = ?, failure = ?
          WHERE id = ? AND is_claimed = 1 AND attempts = ?
          """,
          [nextAt, now, reason, claimed.id, claimed.attempts])
      case .givenUp(let reason):
        try database.run(
          """
          UPDATE notice SET is_claimed = 0, finished_at = ?, is_given_up = 1, failure = ?
          WHERE id = ? AND is_claimed = 1 AND attempts = ?
          """,
          [now, reason, claimed.id, claimed.attempts])
      }
    }
  }

  package func forgetNotices(finishedBefore time: Timestamp, limit: Int) async throws -> Int {
    let condition = "finished_at < ?"
    let isAny = try await read { database in
      try database.value(Int64.self, "SELECT id FROM notice WHERE \(condition) LIMIT 1", [time]) != nil
    }
    guard isAny else { return 0 }
    return try await write { database in
      try database.run(
        "DELETE FROM notice WHERE id IN (SELECT id FROM notice WHERE \(condition) ORDER BY finished_at LIMIT ?)",
        [time, limit])
    }
  }

  package func notices(
    _ state: NoticeState?, before id: ID<Notice>?, limit: Int
  ) async throws -> [NoticeRecord] {
    try await read { database in
      try database.all(
        """
        \(NoticeRecord.query) WHERE notice.id < ?1 AND (CAST(?2 AS TEXT) IS NULL
          OR ?2 = CASE WHEN notice.finished_at IS NULL THEN 'waiting' WHEN notice.is_given_up = 1 THEN 'given-up'
            ELSE 'delivered' END)
        ORDER BY notice.id DESC LIMIT ?3
        """,
        [id?.value ?? .max, state?.rawValue, limit])
    }
  }
}

/// An account that there may be something to tell about.
private struct WatchedAccount: RowReadable {
  let id: ID<Account>
  let balance: Money
  let outOfCreditSince: Timestamp?
  let deletionAt: Timestamp?
  let warnedHours: Int?
  let warnedAt: Timestamp?
  let warnedDays: Int?
  /// What its servers cost in an hour, without backups.
  private let prices: Money

  static let columns = """
    id, balance, credit_suspended_at, deletion_at, credit_warned_hours, credit_warned_at, deletion_warned_days,
    (SELECT COALESCE(SUM(server.price_per_hour), 0) FROM server
      WHERE server.account_id = account.id AND server.deleted_at IS NULL AND server.next_hour_at IS NOT NULL)
    """

  init(from row: inout RowReader) throws {
    id = try row.next()
    balance = try row.next()
    outOfCreditSince = try row.next()
    deletionAt = try row.next()
    warnedHours = try row.next()
    warnedAt = try row.next()
    warnedDays = try row.next()
    prices = try row.next()
  }

  /// Whether the prices alone show that there is nothing to tell, so that most accounts need no closer look.
  func isEasy(_ tariff: Tariff) -> Bool {
    let longest = Int64(CreditLevel.hours.max() ?? 0)
    return outOfCreditSince == nil && warnedHours == nil
      && balance >= Money(microunits: (prices.microunits * Int64(100 + tariff.backupPercent) / 100 + 1) * longest)
  }
}

private enum AccountNews {
  case creditLow(hours: Int, hourlyCost: Money)
  case creditRecovered
  case deletionNear(days: Int)
}

extension SQLConnection {
  fileprivate func watchedAccounts(after id: ID<Account>?, limit: Int) throws -> [WatchedAccount] {
    try all(
      "SELECT \(WatchedAccount.columns) FROM account WHERE id > ? AND closed_at IS NULL ORDER BY id LIMIT ?",
      [id?.value ?? 0, limit])
  }

  fileprivate func watchedAccount(_ id: ID<Account>) throws -> WatchedAccount? {
    try first("SELECT \(WatchedAccount.columns) FROM account WHERE id = ? AND closed_at IS NULL", [id])
  }

  /// What the account was not told yet; nil for nothing.
  fileprivate func news(of account: WatchedAccount, _ tariff: Tariff, at time: Timestamp) throws -> AccountNews? {
    if account.isEasy(tariff) { return nil }
    if let announced = account.outOfCreditSince {
      guard let deletion = account.deletionAt,
        let days = DeletionLevel.days(until: deletion, announced: announced, at: time),
        days < account.warnedDays ?? .max, try hasServers(account.id)
      else { return nil }
      return .deletionNear(days: days)
    }
    let cost = try hourlyCost(of: account.id, tariff)
    guard let hours = CreditLevel.hours(of: account.balance, at: cost) else {
      guard let warnedAt = account.warnedAt, time - warnedAt > SQLStore.shortestRecovery else { return nil }
      return .creditRecovered
    }
    return hours < account.warnedHours ?? .max ? .creditLow(hours: hours, hourlyCost: cost) : nil
  }

  fileprivate func tell(_ news: AccountNews, of account: WatchedAccount, at now: Timestamp) throws {
    var facts = Notice.Facts()
    switch news {
    case .creditLow(let hours, let hourlyCost):
      facts.hoursLeft = hours
      facts.balance = account.balance
      facts.hourlyCost = hourlyCost
      try run(
        "UPDATE account SET credit_warned_hours = ?, credit_warned_at = ? WHERE id = ?", [hours, now, account.id])
      try tell(.creditLow, of: account.id, facts, at: now)
    case .creditRecovered:
      try forgetCreditWarning(of: account.id)
    case .deletionNear(let days):
      facts.deletionAt = account.deletionAt
      try run("UPDATE account SET deletion_warned_days = ? WHERE id = ?", [days, account.id])
      try tell(.deletionNear, of: account.id, facts, at: now)
    }
  }

  /// Somebody has paid, or credit has lasted long enough for a while: when it becomes low again, that is told again.
  func forgetCreditWarning(of account: ID<Account>) throws {
    try run("UPDATE account SET credit_warned_hours = NULL, credit_warned_at = NULL WHERE id = ?", [account])
  }

  /// One notice of each account that has no claimed notice; the accounts that have waited longest come first.
  fileprivate func dueNotices(limit: Int, at now: Timestamp) throws -> [ID<Notice>] {
    try rows(
      """
      SELECT MIN(id) FROM notice INDEXED BY notice_waiting
      WHERE finished_at IS NULL AND is_claimed = 0 AND (not_before <= ?1 OR scheduled_at > ?1)
        AND account_id NOT IN (SELECT account_id FROM notice WHERE is_claimed = 1 AND finished_at IS NULL)
      GROUP BY account_id ORDER BY MIN(not_before), MIN(id) LIMIT ?2
      """,
      [now, limit]
    ) { row in try row.next(ID<Notice>.self) }
  }
}

extension SQLConnection {
  /// Releases the claims of a process that is dead, or has lost its duty.
  func releaseNotices() throws {
    try run("UPDATE notice SET is_claimed = 0 WHERE is_claimed = 1")
  }
}
