import Core

/// What a family of addresses has in the database: each is a number, and what is given of a pool are ranges of these.
protocol GivenAddress: ColumnValue, Hashable, Comparable {
  static var family: Int { get }
  static var prefixLength: Int { get }
  var bytes: [UInt8] { get }
  /// What the setting that remembers the last one has.
  var description: String { get }
  init?(_ text: String)
  /// Nil after the last one that there is.
  var next: Self? { get }
}

extension IPv4Address: GivenAddress {
  static let family = 4
  static let prefixLength = 32
  var next: IPv4Address? { number < .max ? IPv4Address(number: number + 1) : nil }
}

extension IPv6Network: GivenAddress {
  static let family = 6
  var next: IPv6Network? { number < .max ? IPv6Network(number: number + 1) : nil }
}

/// What is given of one family.
struct GivenRanges<Address: GivenAddress> {
  /// Ascending and apart from each other.
  let ranges: [ClosedRange<Address>]
  /// Where the last one that was given is remembered.
  let cursorKey: String

  /// In the order in which they are given after this one was.
  func ranges(after last: Address?) -> [ClosedRange<Address>] {
    guard let last, let next = last.next else { return ranges }
    let later = ranges.compactMap { $0.upperBound >= next ? max($0.lowerBound, next)...$0.upperBound : nil }
    let earlier = ranges.compactMap { $0.lowerBound <= last ? $0.lowerBound...min($0.upperBound, last) : nil }
    return later + earlier
  }
}

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
    try assign(
      GivenRanges(ranges: pool.ranges, cursorKey: "address_cursor \(pool)"), to: server, location: location, at: now)
  }

  /// The same for a network of IPv6.
  @discardableResult
  func assignNetwork(
    of pool: IPv6Pool, to server: ID<Server>, location: String, at now: Timestamp
  ) throws -> IPv6Network {
    try assign(
      GivenRanges(ranges: [pool.networks], cursorKey: "address_cursor \(pool)"), to: server, location: location,
      at: now)
  }

  private func assign<Address: GivenAddress>(
    _ pool: GivenRanges<Address>, to server: ID<Server>, location: String, at now: Timestamp
  ) throws -> Address {
    guard let address = try neverGiven(of: pool) ?? longestReleased(of: pool) else {
      throw Failure(.noCapacity, "No free address at \(location).")
    }
    try releaseAddresses(of: server, family: Address.family, at: now)
    try run(
      """
      INSERT INTO address (family, number, bytes, prefix_length, location, server_id, assigned_at)
      VALUES (?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (family, bytes) DO UPDATE SET location = excluded.location, server_id = excluded.server_id,
        ptr = NULL, assigned_at = excluded.assigned_at, released_at = NULL
      """,
      [Address.family, address, address.bytes, Address.prefixLength, location, server, now])
    try run(
      """
      INSERT INTO address_history (family, bytes, prefix_length, location, server_id, account_id, assigned_at)
      SELECT ?, ?, ?, ?, id, account_id, ? FROM server WHERE id = ?
      """,
      [Address.family, address.bytes, Address.prefixLength, location, now, server])
    return address
  }

  /// Nobody has them any more.
  func releaseAddresses(of server: ID<Server>, at now: Timestamp) throws {
    for family in [IPv4Address.family, IPv6Network.family] {
      try releaseAddresses(of: server, family: family, at: now)
    }
  }

  private func releaseAddresses(of server: ID<Server>, family: Int, at now: Timestamp) throws {
    let released = try run(
      "UPDATE address SET server_id = NULL, ptr = NULL, released_at = ? WHERE server_id = ? AND family = ?",
      [now, server, family])
    guard released > 0 else { return }
    try run(
      "UPDATE address_history SET released_at = ? WHERE server_id = ? AND family = ? AND released_at IS NULL",
      [now, server, family])
    try run("DELETE FROM address_history WHERE released_at < ?", [now - Self.addressMemory])
  }

  private func neverGiven<Address: GivenAddress>(of pool: GivenRanges<Address>) throws -> Address? {
    let last = try value(String.self, "SELECT value FROM setting WHERE key = ?", [pool.cursorKey])
      .flatMap { Address($0) }
    for range in pool.ranges(after: last) {
      guard let address = try firstFreeAddress(in: range) else { continue }
      try run(
        "INSERT INTO setting (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        [pool.cursorKey, address.description])
      return address
    }
    return nil
  }

  /// Looks at the known addresses only, up to the first gap between them.
  private func firstFreeAddress<Address: GivenAddress>(in range: ClosedRange<Address>) throws -> Address? {
    let (low, high) = (range.lowerBound, range.upperBound)
    let known = try value(
      Int64.self, "SELECT id FROM address WHERE family = ? AND number = ?", [Address.family, low])
    if known == nil { return low }
    return try value(
      Address.self,
      """
      SELECT number + 1 FROM address
      WHERE family = ? AND number >= ? AND number < ? AND NOT EXISTS (
        SELECT 1 FROM address AS neighbour
        WHERE neighbour.family = address.family AND neighbour.number = address.number + 1)
      ORDER BY number LIMIT 1
      """,
      [Address.family, low, high])
  }

  private func longestReleased<Address: GivenAddress>(of pool: GivenRanges<Address>) throws -> Address? {
    var longest: (address: Address, since: Timestamp)?
    for range in pool.ranges {
      let found = try rows(
        """
        SELECT number, released_at FROM address
        WHERE family = ? AND server_id IS NULL AND number BETWEEN ? AND ? ORDER BY released_at, number LIMIT 1
        """,
        [Address.family, range.lowerBound, range.upperBound]
      ) { row in (try row.next(Address.self), try row.next(Timestamp.self)) }
      if let first = found.first, longest.map({ first.1 < $0.since }) ?? true { longest = (first.0, first.1) }
    }
    return longest?.address
  }
}
