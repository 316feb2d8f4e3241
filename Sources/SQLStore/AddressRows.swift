import Core

/// How an address is stored: as a number that is unique for its family and base, so that a pool consists of ranges of numbers.
protocol GivenAddress: Hashable, Comparable, CustomStringConvertible {
  static var family: ServerAddress.Family { get }
  var prefixLength: Int { get }
  var bytes: [UInt8] { get }
  /// The first 64 bits of a single IPv6 address; 0 for IPv4 addresses and whole IPv6 networks.
  var base: Int64 { get }
  var orderKey: Int64 { get }
  /// The address with this number and the same base; nil where there is none.
  func sibling(_ orderKey: Int64) -> Self?
  /// Reads the text of the setting that remembers the last address given.
  init?(given text: String)
}

extension GivenAddress {
  /// Nil for the last possible address.
  var next: Self? { orderKey < .max ? sibling(orderKey + 1) : nil }
}

extension IPv4Address: GivenAddress {
  static let family = ServerAddress.Family.ipv4
  var prefixLength: Int { 32 }
  var base: Int64 { 0 }
  var orderKey: Int64 { Int64(number) }
  func sibling(_ orderKey: Int64) -> IPv4Address? { UInt32(exactly: orderKey).map { IPv4Address(number: $0) } }
  init?(given text: String) { self.init(text) }
}

/// A network's 64 bits are stored as a signed number. A pool of networks has numbers of one sign only, so their order is kept.
/// The last 64 bits of single addresses have their highest bit flipped to keep the order, because a pool may have all of them.
extension IPv6Network: GivenAddress {
  static let family = ServerAddress.Family.ipv6
  private static let shift: UInt64 = 1 << 63

  var base: Int64 { isWhole ? 0 : Int64(bitPattern: number) }
  var orderKey: Int64 { Int64(bitPattern: host.map { $0 ^ Self.shift } ?? number) }

  func sibling(_ orderKey: Int64) -> IPv6Network? {
    let key = UInt64(bitPattern: orderKey)
    return isWhole ? IPv6Network(number: key) : IPv6Network(number: number, host: key ^ Self.shift)
  }
}

extension ServerAddress.Family: ColumnValue {}

extension ServerAddress {
  /// The columns that `RowReader.address` reads.
  static let columns = "family, base, number"

  var given: any GivenAddress {
    switch self {
    case .ipv4(let address): address
    case .ipv6(let network): network
    }
  }

  init?(_ family: Family, base: Int64, orderKey: Int64) {
    switch family {
    case .ipv4:
      guard let address = IPv4Address(number: 0).sibling(orderKey) else { return nil }
      self = .ipv4(address)
    case .ipv6:
      let like = base == 0 ? IPv6Network(number: 0) : IPv6Network(number: UInt64(bitPattern: base), host: 0)
      guard let network = like.sibling(orderKey) else { return nil }
      self = .ipv6(network)
    }
  }
}

extension RowReader {
  mutating func address() throws -> ServerAddress {
    let (family, base, key) = (try next(ServerAddress.Family.self), try next(Int64.self), try next(Int64.self))
    return try ServerAddress(family, base: base, orderKey: key).orFail("there is an address that is none")
  }
}

/// The addresses of a pool that can be given, all of one family.
struct GivenRanges<Address: GivenAddress> {
  /// Ascending and disjoint.
  let ranges: [ClosedRange<Address>]
  /// The key of the setting that remembers the last address given.
  let cursorKey: String

  /// The ranges in the order in which they are searched: first what comes after `last`, then what comes before it.
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

  /// Gives the server one more address of the pool: the next one after the last given that was never given before; where there
  /// is none, the one that was released longest ago. Throws `noCapacity` where there is neither.
  @discardableResult
  func assignAddress(
    of pool: AddressPool, to server: ID<Server>, location: String, isArriving: Bool = false, at now: Timestamp
  ) throws -> IPv4Address {
    let address = try freeAddress(of: pool, location: location)
    try give(address, to: server, location: location, isArriving: isArriving, at: now)
    return address
  }

  /// The same for IPv6.
  @discardableResult
  func assignNetwork(
    of pool: IPv6Pool, to server: ID<Server>, location: String, isArriving: Bool = false, at now: Timestamp
  ) throws -> IPv6Network {
    let network = try freeNetwork(of: pool, location: location)
    try give(network, to: server, location: location, isArriving: isArriving, at: now)
    return network
  }

  /// Replaces the server's first address of this family, or the first one that is arriving, by another one of the pool; nil
  /// where there is no pool.
  func replaceFirstAddress(
    _ family: ServerAddress.Family, of server: ID<Server>, pools: AddressPools.Pair, location: String,
    isArriving: Bool, at now: Timestamp
  ) throws -> ServerAddress? {
    let address: ServerAddress
    switch family {
    case .ipv4: address = .ipv4(try freeAddress(of: pools.ipv4, location: location))
    case .ipv6:
      guard let pool = pools.ipv6 else { return nil }
      address = .ipv6(try freeNetwork(of: pool, location: location))
    }
    let first = try rows(
      """
      SELECT \(ServerAddress.columns), rank FROM address WHERE server_id = ? AND family = ? AND is_arriving = ?
      ORDER BY is_leaving, rank LIMIT 1
      """,
      [server, family, isArriving]
    ) { row in (try row.address(), try row.next(Int64.self)) }.first
    if let first { try release(first.0.given, of: server, at: now) }
    try give(address.given, to: server, rank: first?.1, location: location, isArriving: isArriving, at: now)
    return address
  }

  private func freeAddress(of pool: AddressPool, location: String) throws -> IPv4Address {
    try free(of: GivenRanges(ranges: pool.ranges, cursorKey: "address_cursor \(pool)"), location: location)
  }

  private func freeNetwork(of pool: IPv6Pool, location: String) throws -> IPv6Network {
    try free(of: GivenRanges(ranges: apart(pool.networks), cursorKey: "address_cursor \(pool)"), location: location)
  }

  /// The parts of the range that overlap nothing that servers have: the pool may have been another before. There are only a
  /// few parts, because the single addresses of a pool are all in one network.
  private func apart(_ range: ClosedRange<IPv6Network>) throws -> [ClosedRange<IPv6Network>] {
    let (low, high) = (range.lowerBound, range.upperBound)
    guard low.isWhole else { return try serverOverlapping(low) == nil ? [range] : [] }
    var parts: [ClosedRange<IPv6Network>] = []
    var next: IPv6Network? = low
    while let first = next, first <= high {
      let taken = try value(
        Int64.self,
        """
        SELECT base FROM address WHERE family = 6 AND base BETWEEN ? AND ? AND server_id IS NOT NULL
        ORDER BY base LIMIT 1
        """,
        [first.orderKey, high.orderKey]
      ).flatMap { first.sibling($0) }
      guard let taken else { return parts + [first...high] }
      if first < taken { parts.append(first...IPv6Network(number: taken.number - 1)) }
      next = taken.next
    }
    return parts
  }

  private func free<Address: GivenAddress>(of pool: GivenRanges<Address>, location: String) throws -> Address {
    guard let address = try neverGiven(of: pool) ?? longestReleased(of: pool) else {
      throw Failure(.noCapacity, "No free address at \(location).")
    }
    return address
  }

  /// - Parameter rank: Its position among the server's addresses of this family; nil to append it.
  func give(
    _ address: some GivenAddress, to server: ID<Server>, rank: Int64? = nil, location: String,
    isArriving: Bool = false, at now: Timestamp
  ) throws {
    let family = type(of: address).family
    let last = try value(
      Int64?.self, "SELECT MAX(rank) FROM address WHERE server_id = ? AND family = ?", [server, family])
    try run(
      """
      INSERT INTO address
        (family, base, number, bytes, prefix_length, location, server_id, rank, is_arriving, assigned_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (family, bytes) DO UPDATE SET location = excluded.location, server_id = excluded.server_id,
        rank = excluded.rank, is_arriving = excluded.is_arriving, ptr = NULL, assigned_at = excluded.assigned_at, released_at = NULL
      """,
      [
        family, address.base, address.orderKey, address.bytes, address.prefixLength, location, server,
        rank ?? ((last ?? nil) ?? -1) + 1, isArriving, now,
      ])
    try run(
      """
      INSERT INTO address_history (family, bytes, prefix_length, location, server_id, account_id, assigned_at)
      SELECT ?, ?, ?, ?, id, account_id, ? FROM server WHERE id = ?
      """,
      [family, address.bytes, address.prefixLength, location, now, server])
    try queueName(family, address.bytes, at: now)
  }

  /// Throws where the address that an operator names overlaps what a server has: the pool may have been another before.
  func requireApart(_ address: ServerAddress) throws {
    guard case .ipv6(let network) = address, let owner = try serverOverlapping(network) else { return }
    throw Failure(.conflict, "\(network) overlaps what the server \(owner) has: the pool of IPv6 was another before.")
  }

  /// The server that has a single address in this network, or the network of this single address.
  private func serverOverlapping(_ network: IPv6Network) throws -> ID<Server>? {
    network.isWhole
      ? try value(
        ID<Server>.self,
        "SELECT server_id FROM address WHERE family = 6 AND base <> 0 AND base = ? AND server_id IS NOT NULL LIMIT 1",
        [Int64(bitPattern: network.number)])
      : try value(
        ID<Server>.self,
        "SELECT server_id FROM address WHERE family = 6 AND base = 0 AND bytes = ? AND server_id IS NOT NULL",
        [network.enclosing.bytes])
  }

  func releaseAddresses(of server: ID<Server>, at now: Timestamp) throws {
    let own = try rows("SELECT \(ServerAddress.columns) FROM address WHERE server_id = ?", [server]) { row in
      try row.address()
    }
    for address in own { try release(address.given, of: server, at: now) }
  }

  func release(_ address: some GivenAddress, of server: ID<Server>, at now: Timestamp) throws {
    let family = type(of: address).family
    let released = try run(
      """
      UPDATE address SET server_id = NULL, is_leaving = 0, is_arriving = 0, ptr = NULL, released_at = ?
      WHERE server_id = ? AND family = ? AND bytes = ?
      """,
      [now, server, family, address.bytes])
    guard released > 0 else { return }
    try run(
      """
      UPDATE address_history SET released_at = ?
      WHERE server_id = ? AND family = ? AND bytes = ? AND released_at IS NULL
      """,
      [now, server, family, address.bytes])
    // With `now` of a clock that is years ahead, everybody would be forgotten.
    let time = try billingTime(at: now) ?? now
    try run("DELETE FROM address_history WHERE released_at < ?", [time - Self.addressMemory])
    try queueName(family, address.bytes, at: now)
    if let network = address as? IPv6Network, network.isWhole { try forgetNames(in: network, at: now) }
  }

  private func neverGiven<Address: GivenAddress>(of pool: GivenRanges<Address>) throws -> Address? {
    let last = try value(String.self, "SELECT value FROM setting WHERE key = ?", [pool.cursorKey])
      .flatMap { Address(given: $0) }
    for range in pool.ranges(after: last) {
      guard let address = try firstFreeAddress(in: range) else { continue }
      try run(
        "INSERT INTO setting (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        [pool.cursorKey, address.description])
      return address
    }
    return nil
  }

  /// The first address of the range that has no row. Reads only rows, up to the first gap between them.
  private func firstFreeAddress<Address: GivenAddress>(in range: ClosedRange<Address>) throws -> Address? {
    let (low, high) = (range.lowerBound, range.upperBound)
    let known = try value(
      Int64.self, "SELECT id FROM address WHERE family = ? AND base = ? AND number = ?",
      [Address.family, low.base, low.orderKey])
    if known == nil { return low }
    return try value(
      Int64.self,
      """
      SELECT number + 1 FROM address
      WHERE family = ? AND base = ? AND number >= ? AND number < ? AND NOT EXISTS (
        SELECT 1 FROM address AS neighbour WHERE neighbour.family = address.family AND neighbour.base = address.base
          AND neighbour.number = address.number + 1)
      ORDER BY number LIMIT 1
      """,
      [Address.family, low.base, low.orderKey, high.orderKey]
    ).flatMap { low.sibling($0) }
  }

  private func longestReleased<Address: GivenAddress>(of pool: GivenRanges<Address>) throws -> Address? {
    var longest: (address: Address, since: Timestamp)?
    for range in pool.ranges {
      let low = range.lowerBound
      let found = try rows(
        """
        SELECT number, released_at FROM address
        WHERE family = ? AND base = ? AND server_id IS NULL AND is_reserved = 0 AND number BETWEEN ? AND ?
        ORDER BY released_at, number LIMIT 1
        """,
        [Address.family, low.base, low.orderKey, range.upperBound.orderKey]
      ) { row in (try row.next(Int64.self), try row.next(Timestamp.self)) }.first
      guard let found, let address = low.sibling(found.0) else { continue }
      if longest.map({ found.1 < $0.since }) ?? true { longest = (address, found.1) }
    }
    return longest?.address
  }
}
