package import Core

extension SQLStore {
  package func serverListings(
    _ filter: ServerListingFilter, after id: ID<Server>?, limit: Int
  ) async throws -> [ServerListing] {
    try await read { database in
      let servers: [Server] = try database.all(
        """
        \(Server.query) WHERE server.erased_at IS NULL AND server.id > ?1 AND (CAST(?2 AS BIGINT) IS NULL OR server.account_id = ?2)
          AND (CAST(?3 AS TEXT) IS NULL OR server.status = ?3 AND server.deleted_at IS NULL) AND (CAST(?4 AS TEXT) IS NULL OR server.location = ?4)
          AND (CAST(?5 AS BIGINT) IS NULL OR server.host_id = ?5)
        ORDER BY server.id LIMIT ?6
        """,
        [id?.value ?? 0, filter.accountID, filter.status, filter.location, filter.hostID, limit])
      return try servers.map(database.listing)
    }
  }

  package func serverPage(
    _ filter: ServerListingFilter, after last: ID<Server>?, limit: Int
  ) async throws -> [ServerListing] {
    return try await read { database in
      var servers: [Server] = []
      for part in try database.parts(of: filter, after: last) where servers.count < limit {
        servers += try database.all(part.query, part.arguments + [limit - servers.count])
      }
      return try servers.map(database.listing)
    }
  }

  package func serverListing(_ reference: Reference<Server>) async throws -> ServerListing? {
    try await read { database in
      let id: ID<Server>? =
        switch reference {
        case .id(let id): id
        case .uuid(let uuid):
          try database.value(ID<Server>.self, "SELECT id FROM server WHERE uuid = ?", [uuid.text])
        }
      return try id.flatMap(database.server).map(database.listing)
    }
  }

  package func systemUses() async throws -> [SystemUse] {
    try await read { database in
      try database.rows(
        """
        SELECT operating_system_id, image_version, COUNT(*) FROM server WHERE erased_at IS NULL
        GROUP BY operating_system_id, image_version
        ORDER BY operating_system_id, image_version NULLS FIRST
        """, []
      ) { row in
        SystemUse(system: try row.next(), imageVersion: try row.next(), serverCount: try row.next())
      }
    }
  }

  package func serverIDs(named name: String, limit: Int) async throws -> [ID<Server>] {
    try await read { database in
      try database.rows(
        "SELECT id FROM server WHERE erased_at IS NULL AND lower(name) = lower(?) ORDER BY id LIMIT ?", [name, limit]
      ) { row in try row.next() }
    }
  }

  package func requestAction(
    _ action: PowerAction, on id: ID<Server>, by operator: Operator, at now: Timestamp
  ) async throws -> Server? {
    try await write { database in
      guard let server = try database.visibleServer(id) else { return nil }
      let operation = try database.begin(action, on: server, by: nil, at: now)
      try database.auditOperator(
        "server.\(action.rawValue)", by: `operator`, account: server.accountID, server: id, operation: operation.id,
        at: now)
      return try database.server(id)
    }
  }

  package func requestDeletion(of id: ID<Server>, by operator: Operator, at now: Timestamp) async throws -> Bool {
    try await write { [tariff] database in
      guard let server = try database.visibleServer(id) else { return false }
      try database.deleteByOperator(server, by: `operator`, tariff, at: now)
      return true
    }
  }
}

extension SQLConnection {
  /// The queries that make up a page, in order. Each takes a limit as its last argument.
  fileprivate func parts(
    of filter: ServerListingFilter, after last: ID<Server>?
  ) throws -> [(query: String, arguments: SQLArguments)] {
    guard let beginning = filter.beginning?.lowercased() else { return [filter.newest(before: last)] }
    let end = SQLStore.end(ofTextsBeginning: beginning)
    guard let last else {
      return [filter.named("lower(server.name) >= ? AND lower(server.name) < ?", [beginning, end])]
    }
    let name = try value(String.self, "SELECT lower(name) FROM server WHERE id = ?", [last])
    guard let name else { return [] }
    // Two queries, because no index of an expression serves a comparison of pairs.
    return [
      filter.named("lower(server.name) = ? AND server.id > ?", [name, last]),
      filter.named("lower(server.name) > ? AND lower(server.name) < ?", [name, end]),
    ]
  }
}

/// A text of its own for each combination, so that each uses an index.
extension ServerListingFilter {
  func newest(before last: ID<Server>?) -> (query: String, arguments: SQLArguments) {
    let position: (String, SQLArguments) = last.map { ("server.id < ?", [$0]) } ?? ("server.id > 0", [])
    return page(position, status: "server.status", host: "server.host_id", order: "server.id DESC")
  }

  func named(_ condition: String, _ arguments: SQLArguments) -> (query: String, arguments: SQLArguments) {
    // An account has few servers. A status or a host may have very many: COALESCE keeps their indexes from being used, so that
    // the rows are read in the order of their names.
    let isAnybodys = accountID == nil
    return page(
      (condition, arguments), status: isAnybodys ? "COALESCE(server.status, '')" : "server.status",
      host: isAnybodys ? "COALESCE(server.host_id, 0)" : "server.host_id", order: "lower(server.name), server.id")
  }

  private func page(
    _ position: (condition: String, arguments: SQLArguments), status statusText: String, host hostText: String,
    order: String
  ) -> (query: String, arguments: SQLArguments) {
    var conditions = ["server.erased_at IS NULL", position.condition]
    var arguments = position.arguments
    func add(_ condition: String, _ value: any ColumnValue) {
      conditions.append(condition)
      arguments.append(value)
    }
    if let accountID { add("server.account_id = ?", accountID) }
    if let status { add("\(statusText) = ? AND server.deleted_at IS NULL", status) }
    if let location { add("server.location = ?", location) }
    if let hostID { add("\(hostText) = ?", hostID) }
    let condition = conditions.joined(separator: " AND ")
    return ("\(Server.query) WHERE \(condition) ORDER BY \(order) LIMIT ?", arguments)
  }
}

extension SQLConnection {
  func deleteByOperator(_ server: Server, by operator: Operator = .host, _ tariff: Tariff, at now: Timestamp) throws {
    let operation = try hideAndErase(server.id, by: nil, tariff, at: now)
    try auditOperator(
      "server.delete", by: `operator`, account: server.accountID, server: server.id, operation: operation.id, at: now)
  }

  func visibleServer(_ id: ID<Server>) throws -> Server? {
    try first("\(Server.query) WHERE server.id = ? AND server.deleted_at IS NULL", [id])
  }

  func listing(of server: Server) throws -> ServerListing {
    ServerListing(
      server: server,
      email: try value(String.self, "SELECT email FROM account WHERE id = ?", [server.accountID])
        .orFail("its account is gone"),
      host: try value(String.self, "SELECT name FROM host WHERE id = ?", [server.hostID]).orFail("its host is gone"),
      pricePerHour: try value(Money.self, "SELECT price_per_hour FROM server WHERE id = ?", [server.id])
        .orFail("its price is gone"),
      deletedAt: try value(Timestamp?.self, "SELECT deleted_at FROM server WHERE id = ?", [server.id]) ?? nil,
      failure: try failure(of: server),
      suspensionReason: try value(
        String.self,
        "SELECT COALESCE(operator_suspension_reason, '') FROM server WHERE id = ? AND operator_suspended_at IS NOT NULL",
        [server.id]))
  }

  private func failure(of server: Server) throws -> String? {
    guard server.status == .error else { return nil }
    let detail = try value(
      String?.self,
      "SELECT operator_detail FROM operation WHERE server_id = ? AND state = 'failed' ORDER BY id DESC LIMIT 1",
      [server.id])
    return (detail ?? nil) ?? server.statusReason
  }
}
