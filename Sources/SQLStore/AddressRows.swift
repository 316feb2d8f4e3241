import Core

extension SQLConnection {
  /// Takes the next free address after the one that was taken last, so that one given back is not used again at once.
  /// Throws `noCapacity` where there is none.
  @discardableResult
  func assignAddress(of pool: AddressPool, to server: ID<Server>, location: String) throws -> IPv4Address {
    let cursorKey = "address_cursor \(pool)"
    let start = try firstCandidate(in: pool, cursorKey: cursorKey)
    let free =
      try firstFreeAddress(in: start...pool.last)
      ?? (start > pool.first ? firstFreeAddress(in: pool.first...IPv4Address(number: start.number - 1)) : nil)
    guard let address = free else {
      throw Failure(.noCapacity, "No free address at \(location).")
    }
    try run(
      """
      INSERT INTO address (number, server_id) VALUES (?, ?)
      ON CONFLICT (server_id) DO UPDATE SET number = excluded.number
      """,
      [address, server])
    try run(
      "INSERT INTO setting (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
      [cursorKey, address.description])
    return address
  }

  private func firstCandidate(in pool: AddressPool, cursorKey: String) throws -> IPv4Address {
    let cursor = try value(String.self, "SELECT value FROM setting WHERE key = ?", [cursorKey])
    guard let last = cursor.flatMap({ IPv4Address($0) }), pool.contains(last), last < pool.last else {
      return pool.first
    }
    return IPv4Address(number: last.number + 1)
  }

  /// Looks at the used addresses only, up to the first gap between them.
  private func firstFreeAddress(in range: ClosedRange<IPv4Address>) throws -> IPv4Address? {
    let (low, high) = (range.lowerBound, range.upperBound)
    if try value(IPv4Address.self, "SELECT number FROM address WHERE number = ?", [low]) == nil { return low }
    return try value(
      IPv4Address.self,
      """
      SELECT number + 1 FROM address
      WHERE number >= ? AND number < ?
        AND NOT EXISTS (SELECT 1 FROM address AS neighbour WHERE neighbour.number = address.number + 1)
      ORDER BY number LIMIT 1
      """,
      [low, high])
  }
}
