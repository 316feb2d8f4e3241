import Core

extension SQLConnection {
  /// For how long it is remembered who had an address.
  static var addressMemory: Duration { .seconds(400 * 24 * 3600) }

  /// Gives the server an address of the pool instead of the one that it may have: one that nobody has had yet, the next one
  /// after the one that was taken last; where there is none, the one that was released longest ago. Throws `noCapacity` where
  /// there is neither.
  @discardableResult
  func assignAddress(
    of pool: AddressPool, to server: ID<Server>, location: String, at now: Timestamp
  ) throws -> IPv4Address {
    guard let address = try neverGiven(of: pool) ?? longestReleased(of: pool) else {
      throw Failure(.noCapacity, "No free address at \(location).")
    }
    try releaseAddresses(of: server, at: now)
    try run(
      """
      INSERT INTO address (family, number, bytes, prefix_length, location, server_id, assigned_at)
      VALUES (4, ?, ?, 32, ?, ?, ?)
      ON CONFLICT (family, bytes) DO UPDATE SET location = excluded.location, server_id = excluded.server_id,
        ptr = NULL, assigned_at = excluded.assigned_at, released_at = NULL
      """,
      [address, address.bytes, location, server, now])
    try run(
      """
      INSERT INTO address_history (family, bytes, prefix_length, location, server_id, account_id, assigned_at)
      SELECT 4, ?, 32, ?, id, account_id, ? FROM server WHERE id = ?
      """,
      [address.bytes, location, now, server])
    return address
  }

  /// Nobody has them any more.
  func releaseAddresses(of server: ID<Server>, at now: Timestamp) throws {
    let released = try run(
      "UPDATE address SET server_id = NULL, ptr = NULL, released_at = ? WHERE server_id = ?", [now, server])
    guard released > 0 else { return }
    try run("UPDATE address_history SET released_at = ? WHERE server_id = ? AND released_at IS NULL", [now, server])
    try run("DELETE FROM address_history WHERE released_at < ?", [now - Self.addressMemory])
  }

  private func neverGiven(of pool: AddressPool) throws -> IPv4Address? {
    let cursorKey = "address_cursor \(pool)"
    let last = try value(String.self, "SELECT value FROM setting WHERE key = ?", [cursorKey])
      .flatMap { IPv4Address($0) }
    for range in pool.ranges(after: last) {
      guard let address = try firstFreeAddress(in: range) else { continue }
      try run(
        "INSERT INTO setting (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        [cursorKey, address.description])
      return address
    }
    return nil
  }

  /// Looks at the known addresses only, up to the first gap between them.
  private func firstFreeAddress(in range: ClosedRange<IPv4Address>) throws -> IPv4Address? {
    let (low, high) = (range.lowerBound, range.upperBound)
    let isKnown = try value(Int64.self, "SELECT id FROM address WHERE family = 4 AND number = ?", [low]) != nil
    if !isKnown { return low }
    return try value(
      IPv4Address.self,
      """
      SELECT number + 1 FROM address
      WHERE family = 4 AND number >= ? AND number < ? AND NOT EXISTS (
        SELECT 1 FROM address AS neighbour WHERE neighbour.family = 4 AND neighbour.number = address.number + 1)
      ORDER BY number LIMIT 1
      """,
      [low, high])
  }

  private func longestReleased(of pool: AddressPool) throws -> IPv4Address? {
    var longest: (address: IPv4Address, since: Timestamp)?
    for range in pool.ranges {
      let found = try rows(
        """
        SELECT number, released_at FROM address
        WHERE family = 4 AND server_id IS NULL AND number BETWEEN ? AND ? ORDER BY released_at, number LIMIT 1
        """,
        [range.lowerBound, range.upperBound]
      ) { row in (try row.next(IPv4Address.self), try row.next(Timestamp.self)) }
      if let first = found.first, longest.map({ first.1 < $0.since }) ?? true { longest = (first.0, first.1) }
    }
    return longest?.address
  }
}
