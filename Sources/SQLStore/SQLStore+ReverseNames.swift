package import Core

extension SQLStore {
  /// One that is reserved and that nobody has, a gateway's for one, has a name of its operator's.
  private static let named = "(server_id IS NOT NULL OR is_reserved = 0)"
  private static let due = "(change.not_before <= ?1 OR change.scheduled_at > ?1)"
  private static let changes = """
    reverse_change AS change JOIN address ON address.family = change.family AND address.bytes = change.bytes
    """

  package func setReverseNames(areSaid: Bool, at now: Timestamp) async throws {
    if try await read({ try $0.areReverseNamesSaid() }) == areSaid { return }
    _ = try await write { database in
      guard areSaid else {
        try database.run("DELETE FROM setting WHERE key = ?", [ReverseNameSetting.key])
        return try database.run("DELETE FROM reverse_change")
      }
      try database.run(
        "INSERT INTO setting (key, value) VALUES (?, 'said') ON CONFLICT (key) DO NOTHING", [ReverseNameSetting.key])
      return try database.run(
        """
        INSERT INTO reverse_change (family, bytes, revision, not_before, scheduled_at)
        SELECT family, bytes, 1, CAST(? AS BIGINT), CAST(? AS BIGINT) FROM address WHERE \(Self.named)
        ON CONFLICT (family, bytes) DO NOTHING
        """,
        [now, now])
    }
  }

  package func namedServer(_ id: ID<Server>, of account: ID<Account>) async throws -> NamedServer? {
    try await read { database in
      guard let server = try database.server(id, of: account) else { return nil }
      let names = try database.rows(
        "SELECT \(ServerAddress.columns), ptr FROM address WHERE server_id = ? AND ptr IS NOT NULL", [id]
      ) { row in (try row.address(), try row.next(Hostname.self)) }
      return NamedServer(server: server, names: Dictionary(names) { $1 })
    }
  }

  package func setName(
    _ name: Hostname?, of address: ServerAddress, of id: ID<Server>, by caller: Caller, at now: Timestamp
  ) async throws -> Bool {
    try await write { database in
      let bytes = address.given.bytes
      guard try database.server(id, of: caller.accountID) != nil,
        let before = try database.value(
          Hostname?.self,
          "SELECT ptr FROM address WHERE server_id = ? AND family = ? AND bytes = ? AND is_leaving = 0",
          [id, address.family, bytes])
      else { return false }
      guard name != before else { return true }
      try database.run(
        "UPDATE address SET ptr = ? WHERE server_id = ? AND family = ? AND bytes = ?",
        [name, id, address.family, bytes])
      try database.queueName(address.family, bytes, at: now)
      try database.audit(
        "server.rdns", on: id, detail: "\(address.hostAddress) \(name?.name ?? "default")", by: caller, at: now)
      return true
    }
  }

  package func locationsAwaitingNames(at now: Timestamp) async throws -> [String] {
    try await read { database in
      try database.rows("SELECT DISTINCT address.location FROM \(Self.changes) WHERE \(Self.due)", [now]) { row in
        try row.next()
      }
    }
  }

  package func dueNames(at location: String, limit: Int, at now: Timestamp) async throws -> [NameChange] {
    try await read { database in
      try database.all(
        """
        SELECT \(NameChange.columns) FROM \(Self.changes) WHERE \(Self.due) AND address.location = ?2
        ORDER BY change.not_before, change.family, change.bytes LIMIT ?3
        """,
        [now, location, limit])
    }
  }

  package func recordSaid(_ changes: [NameChange]) async throws {
    try await write { database in
      for change in changes {
        let address = change.wanted.address
        try database.run(
          "DELETE FROM reverse_change WHERE family = ? AND bytes = ? AND revision = ?",
          [address.family, address.given.bytes, change.revision])
      }
    }
  }

  package func recordRefused(_ names: [RefusedName], at now: Timestamp) async throws {
    try await write { database in
      for name in names {
        let address = name.change.wanted.address
        try database.run(
          """
          UPDATE reverse_change SET attempts = attempts + 1, not_before = ?, scheduled_at = ?, failure = ?
          WHERE family = ? AND bytes = ? AND revision = ?
          """,
          [name.nextAt, now, name.reason, address.family, address.given.bytes, name.change.revision])
      }
    }
  }

  package func locationsOfAddresses() async throws -> [String] {
    try await read { database in
      try database.rows("SELECT DISTINCT location FROM address ORDER BY location") { row in try row.next() }
    }
  }

  package func addressNames(
    at location: String, after last: ServerAddress?, limit: Int
  ) async throws -> [AddressName] {
    try await read { database in
      let last = last?.given
      return try database.all(
        """
        SELECT \(AddressName.columns) FROM address
        WHERE (family, base, number) > (?, ?, ?) AND location = ? AND \(Self.named)
        ORDER BY family, base, number LIMIT ?
        """,
        [last.map { type(of: $0).family.rawValue } ?? 0, last?.base ?? 0, last?.orderKey ?? 0, location, limit])
    }
  }

  package func queueNames(of addresses: [ServerAddress], at now: Timestamp) async throws {
    try await write { database in
      for address in addresses {
        try database.run(
          """
          INSERT INTO reverse_change (family, bytes, revision, not_before, scheduled_at) VALUES (?, ?, 1, ?, ?)
          ON CONFLICT (family, bytes) DO NOTHING
          """,
          [address.family, address.given.bytes, now, now])
      }
    }
  }
}
