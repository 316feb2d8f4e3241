import Core

enum ReverseNameSetting {
  /// The setting exists while changes of names are to be queued.
  static let key = "reverse_names"
}

/// The tables with names: that of the addresses which servers were given, and that of other addresses in a server's network.
enum NamedTable: CaseIterable {
  case given, inNetworks

  /// The table for a query, under the name `address`.
  var source: String {
    switch self {
    case .given: "address"
    case .inNetworks: "network_name AS address"
    }
  }

  var changes: String {
    let family =
      switch self {
      case .given: "address.family = change.family"
      case .inNetworks: "change.family = 6"
      }
    return "reverse_change AS change JOIN \(source) ON \(family) AND address.bytes = change.bytes"
  }

  /// Which addresses we name. One that is reserved and has no server, such as a gateway's, is named by the operator.
  var isNamed: String {
    switch self {
    case .given: "(server_id IS NOT NULL OR is_reserved = 0)"
    case .inNetworks: "server_id IS NOT NULL"
    }
  }

  var family: String {
    switch self {
    case .given: "address.family"
    case .inNetworks: "CAST(6 AS BIGINT)"
    }
  }

  /// The columns of an `AddressName`.
  var columns: String {
    "\(family), address.base, address.number, address.location, address.ptr, address.server_id"
  }

  func name(_ row: inout RowReader) throws -> AddressName {
    AddressName(
      address: try row.address(), location: try row.next(), name: try row.next(), serverID: try row.next(),
      hasDefault: self == .given)
  }
}

extension SQLConnection {
  func areReverseNamesSaid() throws -> Bool {
    try value(String.self, "SELECT value FROM setting WHERE key = ?", [ReverseNameSetting.key]) != nil
  }

  /// Queues the address for the DNS server. To be called in the transaction that changes its owner or its name.
  func queueName(_ family: ServerAddress.Family, _ bytes: [UInt8], at now: Timestamp) throws {
    guard try areReverseNamesSaid() else { return }
    try run(
      """
      INSERT INTO reverse_change (family, bytes, revision, not_before, scheduled_at, queued_at) VALUES (?, ?, 1, ?, ?, ?)
      ON CONFLICT (family, bytes) DO UPDATE SET revision = reverse_change.revision + 1, attempts = 0,
        not_before = excluded.not_before, scheduled_at = excluded.scheduled_at, failure = NULL
      """,
      [family, bytes, now, now, now])
  }

  /// The names that follow this address, in the order of the addresses.
  func names(
    _ table: NamedTable, at location: String, after last: ServerAddress?, limit: Int
  ) throws -> [AddressName] {
    let last = last?.given
    return try rows(
      """
      SELECT \(table.columns) FROM \(table.source)
      WHERE (\(table.family), base, number) > (?, ?, ?) AND location = ? AND \(table.isNamed)
      ORDER BY 1, 2, 3 LIMIT ?
      """,
      [last.map { type(of: $0).family.rawValue } ?? 0, last?.base ?? 0, last?.orderKey ?? 0, location, limit],
      table.name)
  }

  // MARK: Other addresses of a network

  /// Returns whether the server has the network that the address is in. Throws where it has as many of these names as it may.
  func setName(
    _ name: Hostname?, of one: IPv6Network, of id: ID<Server>, limit: Int, at now: Timestamp
  ) throws -> Bool {
    guard let location = try location(of: one.enclosing, of: id) else { return false }
    guard let name else {
      try forgetNames("bytes = ?", [one.bytes], at: now)
      return true
    }
    let others = try value(
      Int.self, "SELECT COUNT(*) FROM network_name WHERE server_id = ? AND bytes <> ?", [id, one.bytes])
    guard others ?? 0 < limit else {
      throw Failure(.permissionDenied, "Quota of names in networks of the server reached (\(limit)).")
    }
    try run(
      """
      INSERT INTO network_name (bytes, base, number, location, server_id, ptr) VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT (bytes) DO UPDATE SET location = excluded.location, server_id = excluded.server_id, ptr = excluded.ptr
      """,
      [one.bytes, one.base, one.orderKey, location, id, name])
    try queueName(.ipv6, one.bytes, at: now)
    return true
  }

  func has(_ id: ID<Server>, _ network: IPv6Network) throws -> Bool { try location(of: network, of: id) != nil }

  /// The location of the network; nil where the server does not have it, or is about to lose it.
  private func location(of network: IPv6Network, of id: ID<Server>) throws -> String? {
    try value(
      String.self,
      "SELECT location FROM address WHERE server_id = ? AND family = 6 AND base = 0 AND bytes = ? AND is_leaving = 0",
      [id, network.bytes])
  }

  /// Forgets the names in a network that was released.
  func forgetNames(in network: IPv6Network, at now: Timestamp) throws {
    try forgetNames("base = ?", [Int64(bitPattern: network.number)], at: now)
  }

  /// Clears and queues the names. Their rows are deleted when the DNS server was told, or at once where there is none to tell.
  private func forgetNames(_ condition: String, _ values: [any ColumnValue], at now: Timestamp) throws {
    guard try areReverseNamesSaid() else {
      try run("DELETE FROM network_name WHERE \(condition)", values)
      return
    }
    let named = try rows("SELECT bytes FROM network_name WHERE server_id IS NOT NULL AND \(condition)", values) { row in
      try row.next([UInt8].self)
    }
    for bytes in named {
      try run("UPDATE network_name SET server_id = NULL, ptr = NULL WHERE bytes = ?", [bytes])
      try queueName(.ipv6, bytes, at: now)
    }
  }
}
