package import Core

extension SQLStore {
  private static let due = "(change.not_before <= ?1 OR change.scheduled_at > ?1)"

  package func setReverseNames(areSaid: Bool, at now: Timestamp) async throws {
    if try await read({ try $0.areReverseNamesSaid() }) == areSaid { return }
    _ = try await write { database in
      guard areSaid else {
        try database.run("DELETE FROM setting WHERE key = ?", [ReverseNameSetting.key])
        try database.run("DELETE FROM network_name WHERE server_id IS NULL")
        return try database.run("DELETE FROM reverse_change")
      }
      try database.run(
        "INSERT INTO setting (key, value) VALUES (?, 'said') ON CONFLICT (key) DO NOTHING", [ReverseNameSetting.key])
      for table in NamedTable.allCases {
        try database.run(
          """
          INSERT INTO reverse_change (family, bytes, revision, not_before, scheduled_at, queued_at)
          SELECT \(table.family), bytes, 1, CAST(?1 AS BIGINT), CAST(?1 AS BIGINT), CAST(?1 AS BIGINT)
          FROM \(table.source) WHERE \(table.isNamed)
          ON CONFLICT (family, bytes) DO NOTHING
          """,
          [now])
      }
      return 0
    }
  }

  package func namedServer(_ id: ID<Server>, of account: ID<Account>) async throws -> NamedServer? {
    try await read { database in
      guard let server = try database.server(id, of: account) else { return nil }
      let names = try NamedTable.allCases.map { table in
        try database.rows(
          "SELECT \(table.columns) FROM \(table.source) WHERE server_id = ? AND ptr IS NOT NULL ORDER BY base, number",
          [id], table.name)
      }
      return NamedServer(server: server, names: names[0], inNetworks: names[1])
    }
  }

  package func setName(
    _ name: Hostname?, of address: ServerAddress, of id: ID<Server>, limit: Int, by caller: Caller, at now: Timestamp
  ) async throws -> Bool {
    try await write { database in
      let bytes = address.given.bytes
      guard try database.server(id, of: caller.accountID) != nil else { return false }
      let before = try database.value(
        Hostname?.self, "SELECT ptr FROM address WHERE server_id = ? AND family = ? AND bytes = ? AND is_leaving = 0",
        [id, address.family, bytes])
      if let before {
        guard name != before else { return true }
        try database.run(
          "UPDATE address SET ptr = ? WHERE server_id = ? AND family = ? AND bytes = ?",
          [name, id, address.family, bytes])
        try database.queueName(address.family, bytes, at: now)
      } else {
        guard case .ipv6(let one) = address, !one.isWhole else { return false }
        let before = try database.value(
          Hostname.self, "SELECT ptr FROM network_name WHERE server_id = ? AND bytes = ?", [id, bytes])
        guard name != before else { return try database.has(id, one.enclosing) }
        guard try database.setName(name, of: one, of: id, limit: limit, at: now) else { return false }
      }
      try database.audit(
        "server.rdns", on: id, detail: "\(address.hostAddress) \(name?.name ?? "default")", by: caller, at: now)
      return true
    }
  }

  package func locationsAwaitingNames(at now: Timestamp) async throws -> [String] {
    try await read { database in
      let locations = try NamedTable.allCases.flatMap { table in
        try database.rows("SELECT DISTINCT address.location FROM \(table.changes) WHERE \(Self.due)", [now]) { row in
          try row.next(String.self)
        }
      }
      return Set(locations).sorted()
    }
  }

  package func dueNames(at location: String, limit: Int, at now: Timestamp) async throws -> [NameChange] {
    try await read { database in
      var changes: [NameChange] = []
      for table in NamedTable.allCases where changes.count < limit {
        changes += try database.rows(
          """
          SELECT \(table.columns), change.revision, change.attempts FROM \(table.changes)
          WHERE \(Self.due) AND address.location = ?2
          ORDER BY change.not_before, change.family, change.bytes LIMIT ?3
          """,
          [now, location, limit - changes.count]
        ) { row in
          NameChange(wanted: try table.name(&row), revision: try row.next(), attempts: try row.next())
        }
      }
      return changes
    }
  }

  package func recordSaid(_ changes: [NameChange]) async throws {
    try await write { database in
      for change in changes {
        let address = change.wanted.address
        let said = try database.run(
          "DELETE FROM reverse_change WHERE family = ? AND bytes = ? AND revision = ?",
          [address.family, address.given.bytes, change.revision])
        guard said > 0, !change.wanted.hasDefault else { continue }
        try database.run(
          "DELETE FROM network_name WHERE bytes = ? AND server_id IS NULL", [address.given.bytes])
      }
    }
  }

  package func recordUntaken(_ names: [UntakenName], at now: Timestamp) async throws {
    try await write { database in
      for name in names {
        let address = name.change.wanted.address
        try database.run(
          """
          UPDATE reverse_change SET attempts = attempts + 1, not_before = ?, scheduled_at = ?, failure = ?
          WHERE family = ? AND bytes = ? AND revision = ?
          """,
          [name.nextAt, now, name.refusal, address.family, address.given.bytes, name.change.revision])
      }
    }
  }

  package func locationsOfAddresses() async throws -> [String] {
    try await read { database in
      try database.rows("SELECT DISTINCT location FROM address ORDER BY location") { row in try row.next() }
    }
  }

  package func addressNames(
    at location: String, after last: AddressName?, limit: Int
  ) async throws -> [AddressName] {
    try await read { database in
      let isBeyond = last?.hasDefault == false
      let given =
        isBeyond ? [] : try database.names(.given, at: location, after: last?.address, limit: limit)
      guard given.count < limit else { return given }
      return try given
        + database.names(
          .inNetworks, at: location, after: isBeyond ? last?.address : nil, limit: limit - given.count)
    }
  }

  package func queueNames(of addresses: [ServerAddress], at now: Timestamp) async throws {
    try await write { database in
      for address in addresses {
        try database.run(
          """
          INSERT INTO reverse_change (family, bytes, revision, not_before, scheduled_at, queued_at)
          VALUES (?, ?, 1, ?, ?, ?) ON CONFLICT (family, bytes) DO NOTHING
          """,
          [address.family, address.given.bytes, now, now, now])
      }
    }
  }
}

// MARK: Waiting names, for operators

extension SQLStore {
  /// The names after this one that DNS servers have yet to be told, in the order of their addresses.
  package func waitingNames(areRefused: Bool, after last: WaitingName?, limit: Int) async throws -> [WaitingName] {
    try await read { database in
      let last = last?.wanted.address.given
      let all = try NamedTable.allCases.flatMap { table in
        try database.rows(
          """
          SELECT \(table.columns), change.queued_at, change.attempts, change.not_before, change.failure
          FROM \(table.changes)
          WHERE (change.family, change.bytes) > (?, ?)\(areRefused ? " AND change.failure IS NOT NULL" : "")
          ORDER BY change.family, change.bytes LIMIT ?
          """,
          [last.map { type(of: $0).family.rawValue } ?? 0, last?.bytes ?? [], limit]
        ) { row in
          WaitingName(
            wanted: try table.name(&row), since: try row.next(), attempts: try row.next(), nextAt: try row.next(),
            failure: try row.next())
        }
      }
      let sorted = all.sorted { one, other in
        let (left, right) = (one.wanted.address, other.wanted.address)
        return left.family == right.family
          ? left.given.bytes.lexicographicallyPrecedes(right.given.bytes) : left.family == .ipv4
      }
      return Array(sorted.prefix(limit))
    }
  }

  /// Makes all refused names due now. Returns how many there are.
  package func retryNames(at now: Timestamp) async throws -> Int {
    try await write { database in
      try database.run(
        "UPDATE reverse_change SET attempts = 0, not_before = ?, scheduled_at = ? WHERE failure IS NOT NULL",
        [now, now])
    }
  }
}
