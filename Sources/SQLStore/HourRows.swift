import Core

/// An hour of a server that has begun and is not charged yet.
struct DueHour: RowReadable {
  let server: ID<Server>
  let account: ID<Account>
  let hour: ServerHour
  let balance: Money
  private let price: Money
  private let isBackupEnabled: Bool
  private let isSuspended: Bool
  private let billedMonth: Int
  private let billedMonthHours: Int

  static let columns = """
    server.id, server.account_id, server.next_hour_at, server.next_hour_number, account.balance, \
    \(price(ofHourAt: "server.next_hour_at")), server.is_backup_enabled, \(SuspensionRows.isSuspended), \
    server.billed_month, server.billed_month_hours
    """

  /// An SQL expression for the price of the server's hour that began at this time.
  static func price(ofHourAt time: String) -> String {
    """
    COALESCE((SELECT former_price.price_per_hour FROM former_price
      WHERE former_price.server_id = server.id AND former_price.until_at > \(time)
      ORDER BY former_price.until_at LIMIT 1), server.price_per_hour)
    """
  }

  static let query = "SELECT \(columns) FROM server JOIN account ON account.id = server.account_id"

  init(from row: inout RowReader) throws {
    server = try row.next()
    account = try row.next()
    hour = ServerHour(beganAt: try row.next(), number: try row.next(Int64.self))
    balance = try row.next()
    price = try row.next()
    isBackupEnabled = try row.next()
    isSuspended = try row.next()
    billedMonth = try row.next()
    billedMonthHours = try row.next()
  }

  /// How many hours of the server have begun, this one included.
  func count(begunBy time: Timestamp) -> Int64 {
    1 + max(0, (time - hour.beganAt).milliseconds / ServerHour.length.milliseconds)
  }

  var chargedInMonth: Int { billedMonth == hour.beganAt.month ? billedMonthHours : 0 }

  func billed(asSuspended: Bool) -> BilledHour {
    BilledHour(
      price: price, isBackupEnabled: isBackupEnabled, isSuspended: isSuspended || asSuspended,
      chargedInMonth: chargedInMonth)
  }
}

/// The state while several hours are charged in one transaction.
struct HourBatch {
  /// What is done about an hour that cannot be paid.
  enum Unpaid {
    /// The account is suspended for want of credit.
    case suspend
    /// The hour is left for the meter.
    case leave
    /// Nobody pays for the hour, because the server is deleted.
    case forgive
  }

  let tariff: Tariff
  let unpaid: Unpaid
  let now: Timestamp
  var outOfCredit: [ID<Account>] = []
  var count = 0
  fileprivate var balances: [ID<Account>: Money] = [:]
  /// The cost of all hours of an account that have begun, for accounts with an hour that could not be paid.
  fileprivate var owed: [ID<Account>: Money] = [:]

  init(_ tariff: Tariff, unpaid: Unpaid, at now: Timestamp) {
    self.tariff = tariff
    self.unpaid = unpaid
    self.now = now
  }

  /// What the hour costs while the account can pay.
  fileprivate func cost(of due: DueHour) -> Money { tariff.cost(of: due.billed(asSuspended: false)).total }
}

extension SQLConnection {
  /// Charges the hour. Returns false where it is left for later.
  func charge(_ due: DueHour, in batch: inout HourBatch) throws -> Bool {
    let balance = batch.balances[due.account] ?? due.balance
    var billed = due.billed(asSuspended: batch.outOfCredit.contains(due.account))
    var cost = batch.tariff.cost(of: billed)
    if cost.total > balance, !billed.isSuspended {
      switch batch.unpaid {
      case .leave: return false
      case .forgive: break
      case .suspend:
        // Held credit is released or charged soon. If all begun hours could be paid with it, the hour waits for that.
        if try balance + held(by: due.account) >= owed(by: due.account, in: &batch) { return false }
        try runOutOfCredit(due.account, batch.tariff, at: batch.now)
        batch.outOfCredit.append(due.account)
        billed = due.billed(asSuspended: true)
        cost = batch.tariff.cost(of: billed)
      }
    }
    // Only a suspended or deleted server gets here: it owes nothing for an hour that cannot be paid.
    if cost.total > balance { cost = HourCost(server: .zero, backup: .zero) }
    batch.balances[due.account] = try pay(cost, for: due.server, of: due.account, due.hour, at: batch.now) ?? balance
    if let owed = batch.owed[due.account] { batch.owed[due.account] = owed - batch.cost(of: due) }
    try passHour(due.hour, of: due.server, charged: due.chargedInMonth + (cost.server == .zero ? 0 : 1))
    batch.count += 1
    return true
  }

  /// Returns the new balance; nil where there was nothing to pay.
  private func pay(
    _ cost: HourCost, for server: ID<Server>, of account: ID<Account>, _ hour: ServerHour, at now: Timestamp
  ) throws -> Money? {
    var balance: Money?
    if cost.server > .zero {
      balance = try append(.charge, -cost.server, to: account, for: server, hour: hour, at: now)
    }
    if cost.backup > .zero {
      balance = try append(.backup, -cost.backup, to: account, for: server, hour: hour, at: now)
    }
    return balance
  }

  private func passHour(_ hour: ServerHour, of server: ID<Server>, charged count: Int) throws {
    try run(
      """
      UPDATE server SET next_hour_at = ?, next_hour_number = ?, billed_month = ?, billed_month_hours = ? WHERE id = ?
      """,
      [hour.beganAt + ServerHour.length, (hour.number ?? 0) + 1, hour.beganAt.month, count, server])
  }

  private func owed(by account: ID<Account>, in batch: inout HourBatch) throws -> Money {
    if let owed = batch.owed[account] { return owed }
    let time = try billingTime(at: batch.now) ?? batch.now
    let due: [DueHour] = try all(
      "\(DueHour.query) WHERE server.account_id = ? AND server.deleted_at IS NULL AND server.next_hour_at <= ?",
      [account, time])
    var owed = Money.zero
    for hour in due { owed += batch.cost(of: hour) * hour.count(begunBy: time) }
    batch.owed[account] = owed
    return owed
  }

  private func held(by account: ID<Account>) throws -> Money {
    let ofServers = try value(
      Money.self, "SELECT COALESCE(SUM(credit_hold), 0) FROM server WHERE account_id = ? AND deleted_at IS NULL",
      [account])
    let ofDeleted = try value(
      Money.self,
      """
      SELECT COALESCE(SUM(credit_hold), 0) FROM server
      WHERE deleted_at IS NOT NULL AND erased_at IS NULL AND account_id = ?
      """,
      [account])
    return (ofServers ?? .zero) + (ofDeleted ?? .zero)
  }

  // MARK: Single servers

  /// Charges the server's hours that have begun. To be called before any change that affects their price.
  func settleHours(
    of server: ID<Server>, _ tariff: Tariff, unpaid: HourBatch.Unpaid = .leave, at now: Timestamp
  ) throws {
    guard let time = try billingTime(at: now) else { return }
    var batch = HourBatch(tariff, unpaid: unpaid, at: now)
    while let due: DueHour = try first(
      "\(DueHour.query) WHERE server.id = ? AND server.next_hour_at <= ?", [server, time]),
      try charge(due, in: &batch)
    {}
  }

  func settleHours(ofServersOf account: ID<Account>, _ tariff: Tariff, at now: Timestamp) throws {
    let due = try rows(
      "SELECT id FROM server WHERE account_id = ? AND deleted_at IS NULL AND next_hour_at <= ?", [account, now]
    ) { row in try row.next(ID<Server>.self) }
    for server in due { try settleHours(of: server, tariff, at: now) }
  }

  /// Charges the hour in which the server is ready for the first time. The credit held for it has been released before.
  func chargeFirstHour(of server: ID<Server>, _ account: ID<Account>, _ tariff: Tariff, at now: Timestamp) throws {
    let createdAt = try value(Timestamp.self, "SELECT created_at FROM server WHERE id = ?", [server])
      .orFail("there is no server \(server)")
    // A clock that is behind will be corrected: the time until the last billed one is not charged.
    let hour = ServerHour.running(at: max(now, try time(ClockSetting.billed) ?? now), since: createdAt)
    let found = try rows(
      "SELECT \(DueHour.price(ofHourAt: "?1")), is_backup_enabled FROM server WHERE id = ?2", [hour.beganAt, server]
    ) { row in (try row.next(Money.self), try row.next(Bool.self)) }
    let (price, isBackupEnabled) = try found.first.orFail("there is no server \(server)")
    let cost = tariff.cost(of: BilledHour(price: price, isBackupEnabled: isBackupEnabled))
    let balance = try balance(of: account)
    let paid = min(cost.server, balance)
    let backup = cost.backup <= balance - paid ? cost.backup : .zero
    _ = try pay(HourCost(server: paid, backup: backup), for: server, of: account, hour, at: now)
    try passHour(hour, of: server, charged: paid == .zero ? 0 : 1)
  }

  /// Charges backups that are turned on within an hour for that hour: once, and only if there is credit for it.
  func chargeBackups(of server: ID<Server>, _ tariff: Tariff, at now: Timestamp) throws {
    let running: DueHour? = try first(
      """
      \(DueHour.query) WHERE server.id = ? AND server.next_hour_number > 0
        AND EXISTS (SELECT 1 FROM ledger_entry WHERE server_id = server.id AND reason = 'charge'
          AND number = server.next_hour_number - 1)
        AND NOT EXISTS (SELECT 1 FROM ledger_entry WHERE server_id = server.id AND reason = 'backup'
          AND number = server.next_hour_number - 1)
      """,
      [server])
    guard let running, let next = running.hour.number else { return }
    let hour = ServerHour(beganAt: running.hour.beganAt - ServerHour.length, number: next - 1)
    let billed = running.billed(asSuspended: false)
    let cost = tariff.cost(
      of: BilledHour(price: billed.price, isBackupEnabled: true, isSuspended: billed.isSuspended)
    ).backup
    guard cost <= running.balance else { return }
    _ = try pay(HourCost(server: .zero, backup: cost), for: server, of: running.account, hour, at: now)
  }

  /// Sets the price from the next hour on. A server that is resized to a higher price within its first hour pays the difference
  /// at once.
  func changePrice(of server: ID<Server>, _ account: ID<Account>, to price: Money, at now: Timestamp) throws {
    let highest = try value(
      Money.self,
      """
      SELECT MAX(price_per_hour) FROM (SELECT price_per_hour FROM server WHERE id = ?1
        UNION SELECT price_per_hour FROM former_price WHERE server_id = ?1) AS price
      """,
      [server])
    // A server that was never ready has no hour that the former price could apply to.
    try keepFormerPrices("id = ? AND price_per_hour <> ? AND next_hour_at IS NOT NULL", [server, price], at: now)
    try run("UPDATE server SET price_per_hour = ? WHERE id = ?", [price, server])
    guard let highest, price > highest else { return }
    let first = try rows(
      """
      SELECT MIN(hour_began_at) FROM ledger_entry WHERE server_id = ? AND reason = 'charge' AND number IS NOT NULL
      HAVING COUNT(*) = 1
      """,
      [server]
    ) { row in try row.next(Timestamp.self) }.first
    guard let first, now < first + ServerHour.length else { return }
    let difference = min(price - highest, try balance(of: account))
    try append(
      .charge, -difference, to: account, for: server, hour: ServerHour(beganAt: first, number: nil),
      description: "Resized within its first hour", at: now)
  }

  /// Remembers the present prices for hours that are not charged yet. To be called before prices change. If a price changes
  /// twice in a moment, the times differ, so that the order is kept.
  func keepFormerPrices(_ condition: String, _ arguments: SQLArguments, at now: Timestamp) throws {
    // With `now` of a clock that is far ahead, the former prices would hold for years.
    let time = try billingTime(at: now) ?? now
    try run(
      """
      INSERT INTO former_price (server_id, until_at, price_per_hour)
      SELECT id, CASE WHEN last_at >= ? THEN last_at + 1 ELSE ? END, price_per_hour FROM (
        SELECT id, price_per_hour, next_hour_at, COALESCE(
          (SELECT MAX(until_at) FROM former_price WHERE server_id = server.id), 0) AS last_at
        FROM server WHERE \(condition)) AS changed
      """,
      [time, time] + arguments)
  }

  // MARK: The clock

  /// Until when hours may be charged: until now, or, while the clock is doubted, until the last billed time at most; nil before
  /// billing began.
  func billingTime(at now: Timestamp) throws -> Timestamp? {
    try time(ClockSetting.billed).map { seen in
      BillingClock(at: now, lastSeen: seen, elapsed: .zero) == .trusted ? now : min(now, seen)
    }
  }
}
