package import Core

extension SQLStore {
  /// How often the trusted time is written down.
  private static let noteInterval = Duration.seconds(60)
  /// A server whose next hour is further away than this was made while the clock was wrong.
  private static let longestWay = ServerHour.length * 2

  package func judgeBillingClock(at now: Timestamp, after elapsed: Duration) async throws -> BillingClock {
    let (seen, isAstray) = try await read { database in
      let seen = try database.time(ClockSetting.billed)
      let limit = seen.map { max($0, now) + Self.longestWay }
      return (seen, try limit.map { try database.hasHour(after: $0) } ?? false)
    }
    if let seen {
      let clock = BillingClock(at: now, lastSeen: seen, elapsed: elapsed)
      if case .doubted = clock { return clock }
      if now - seen < Self.noteInterval, !isAstray { return clock }
    }
    return try await write { database in
      guard let seen = try database.time(ClockSetting.billed) else {
        try database.beginCharging(at: now)
        return .trusted
      }
      let clock = BillingClock(at: now, lastSeen: seen, elapsed: elapsed)
      guard clock == .trusted else { return clock }
      let latest = max(seen, now)
      try database.setTime(ClockSetting.billed, latest)
      try database.run(
        "UPDATE server SET next_hour_at = ? WHERE next_hour_at > ?",
        [latest + ServerHour.length, latest + Self.longestWay])
      return clock
    }
  }

  package func chargeHours(
    begunBy time: Timestamp, after last: HourReference?, limit: Int, at now: Timestamp
  ) async throws -> BillingProgress {
    let isAny = try await read { database in try !database.dueHours(begunBy: time, after: last, limit: 1).isEmpty }
    guard isAny else { return BillingProgress(last: nil, hoursCharged: 0, outOfCredit: []) }
    return try await write { [tariff] database in
      var batch = HourBatch(tariff, unpaid: .suspend, at: now)
      let due = try database.dueHours(begunBy: time, after: last, limit: limit)
      for hour in due { _ = try database.charge(hour, in: &batch) }
      return BillingProgress(
        last: due.last.map { HourReference(beganAt: $0.hour.beganAt, server: $0.server) }, hoursCharged: batch.count,
        outOfCredit: batch.outOfCredit)
    }
  }

  package func hourlyCost(of account: ID<Account>) async throws -> Money {
    try await read { [tariff] database in try database.hourlyCost(of: account, tariff) }
  }
}

extension SQLConnection {
  /// At most one hour of each server: its next hour begins after all of these, so that all hours are charged in order.
  fileprivate func dueHours(begunBy time: Timestamp, after last: HourReference?, limit: Int) throws -> ArraySlice<
    DueHour
  > {
    let due: [DueHour] = try all(
      """
      \(DueHour.query) WHERE server.next_hour_at <= ? AND (server.next_hour_at, server.id) > (?, ?)
      ORDER BY server.next_hour_at, server.id LIMIT ?
      """,
      [time, last?.beganAt ?? Timestamp(millisecondsSinceEpoch: .min), last?.server.value ?? 0, limit])
    guard let first = due.first else { return [] }
    return due.prefix { $0.hour.beganAt < first.hour.beganAt + ServerHour.length }
  }

  fileprivate func hasHour(after time: Timestamp) throws -> Bool {
    try value(Int64.self, "SELECT id FROM server WHERE next_hour_at > ? LIMIT 1", [time]) != nil
  }

  /// Begins billing: servers that are ready already pay from their next hour on.
  fileprivate func beginCharging(at now: Timestamp) throws {
    try setTime(ClockSetting.billed, now)
    try run(
      """
      UPDATE server SET next_hour_number = passed + 1, next_hour_at = created_at + (passed + 1) * ?1
      FROM (SELECT id AS ready, CASE WHEN created_at > ?2 THEN 0 ELSE (?2 - created_at) / ?1 END AS passed
        FROM server WHERE next_hour_at IS NULL AND was_ever_ready = 1 AND deleted_at IS NULL) AS since
      WHERE server.id = since.ready
      """,
      [ServerHour.length.milliseconds, now])
  }
}
