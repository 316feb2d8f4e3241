package import Core

extension SQLStore {
  private static let throttledAtOnce = 100
  private static let bytesPerGB: Int64 = 1_000_000_000
  /// More than any machine sends in a month: an upper limit for what a guest reports.
  private static let mostGB: Int64 = 999_999

  package func chargeTraffic(limit: Int, at now: Timestamp) async throws -> Int {
    guard let price = tariff.pricePerGB, price > .zero else { return 0 }
    let (month, excesses) = try await read { database in
      let month = try database.trafficMonth(at: now)
      return (month, try database.excesses(in: month))
    }
    guard !excesses.isEmpty else { return 0 }
    return try await write { database in
      var rest = limit
      for excess in excesses where rest > 0 {
        rest -= try database.charge(excess, price, month: month, limit: rest, at: now)
      }
      return limit - rest
    }
  }

  package func throttleTraffic(at now: Timestamp) async throws -> [ID<Server>] {
    let speed = tariff.throttleMbit
    let isAny = try await read { database in try !database.throttleChanges(to: speed, at: now).isEmpty }
    guard isAny else { return [] }
    return try await write { database in
      // Some at a time, so that other writers have their turn in between.
      let changes = try database.throttleChanges(to: speed, at: now).prefix(Self.throttledAtOnce)
      for change in changes { try database.carryOut(change, at: now) }
      return changes.map(\.server)
    }
  }

  fileprivate struct ThrottleChange {
    let server: ID<Server>
    /// Nil to end the throttle.
    let speedMbit: Int?
    let isNew: Bool
  }

  fileprivate struct Excess: RowReadable {
    let server: ID<Server>
    let account: ID<Account>
    let includedGB: Int64
    let usedGB: Int64

    static let columns =
      "server.id, server.account_id, plan.bandwidth_gb, server_usage.received_bytes, server_usage.sent_bytes"

    init(from row: inout RowReader) throws {
      server = try row.next()
      account = try row.next()
      includedGB = try row.next()
      let bytes = max(try row.next(Int64.self), try row.next(Int64.self))
      usedGB = min((bytes - 1) / bytesPerGB + 1, mostGB)
    }
  }
}

extension SQLConnection {
  fileprivate func throttleChanges(to speed: Int?, at now: Timestamp) throws -> [SQLStore.ThrottleChange] {
    let month = try trafficMonth(at: now)
    let over = speed == nil ? [] : try excesses(in: month).map(\.server)
    let present = try rows(
      "SELECT server_id, month, speed_mbit FROM server_throttle ORDER BY server_id", []
    ) { row in
      (server: try row.next(ID<Server>.self), month: try row.next(Int.self), speed: try row.next(Int.self))
    }
    let known = Set(present.map(\.server))
    let right = Set(present.filter { $0.month == month && $0.speed == speed }.map(\.server))
    let held = over.filter { !right.contains($0) }.map {
      SQLStore.ThrottleChange(server: $0, speedMbit: speed, isNew: !known.contains($0))
    }
    return held
      + known.subtracting(over).sorted { $0.value < $1.value }.map {
        SQLStore.ThrottleChange(server: $0, speedMbit: nil, isNew: false)
      }
  }

  fileprivate func carryOut(_ change: SQLStore.ThrottleChange, at now: Timestamp) throws {
    if let speed = change.speedMbit {
      try run(
        """
        INSERT INTO server_throttle (server_id, month, speed_mbit, began_at) VALUES (?, ?, ?, ?)
        ON CONFLICT (server_id) DO UPDATE SET month = excluded.month, speed_mbit = excluded.speed_mbit
        """,
        [change.server, trafficMonth(at: now), speed, now])
      if change.isNew { try tellServer(change.server, .serversThrottled, nil, at: now) }
    } else {
      try run("DELETE FROM server_throttle WHERE server_id = ?", [change.server])
    }
    try touchFirewall(of: change.server)
    guard change.isNew || change.speedMbit == nil else { return }
    try run(
      """
      INSERT INTO event (account_id, server_id, what, at)
      SELECT account_id, id, ?, ? FROM server WHERE id = ? AND deleted_at IS NULL
      """,
      [change.speedMbit == nil ? "released" : "throttled", now, change.server])
  }

  fileprivate func excesses(in month: Int) throws -> [SQLStore.Excess] {
    try all(
      """
      SELECT \(SQLStore.Excess.columns) FROM server_usage JOIN server ON server.id = server_usage.server_id
      JOIN plan ON plan.id = server.plan_id
      WHERE server_usage.month = ? AND server.deleted_at IS NULL
        AND (received_bytes > plan.bandwidth_gb * 1000000000 OR sent_bytes > plan.bandwidth_gb * 1000000000)
      """,
      [month])
  }

  /// Writes one entry for each GB begun, as long as there is credit. Returns how many.
  fileprivate func charge(
    _ excess: SQLStore.Excess, _ price: Money, month: Int, limit: Int, at now: Timestamp
  ) throws -> Int {
    let first = Int64(month) * 1_000_000
    let charged = try value(
      Int64.self,
      "SELECT COALESCE(MAX(number), 0) FROM ledger_entry WHERE server_id = ? AND reason = 'traffic' AND number > ?",
      [excess.server, first])
    let next = max(first + excess.includedGB, charged ?? 0) + 1
    let last = min(first + excess.usedGB, next + Int64(limit) - 1)
    guard next <= last else { return 0 }
    var count = 0
    for number in next...last {
      guard try balance(of: excess.account) >= price else { break }
      try append(
        .traffic, -price, to: excess.account, for: excess.server, number: number,
        description: "GB \(number - first) of \(month / 100)-\(month % 100 < 10 ? "0" : "")\(month % 100)", at: now)
      count += 1
    }
    return count
  }
}
