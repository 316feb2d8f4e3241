package import Core

extension SQLStore {
  package func serverListings(
    _ filter: ServerListingFilter, after id: ID<Server>?, limit: Int
  ) async throws -> [ServerListing] {
    try await read { database in
      let servers: [Server] = try database.all(
        """
        \(Server.query) WHERE server.erased_at IS NULL AND server.id > ?1 AND (?2 IS NULL OR server.account_id = ?2)
          AND (?3 IS NULL OR server.status = ?3 AND server.deleted_at IS NULL) AND (?4 IS NULL OR server.location = ?4)
          AND (?5 IS NULL OR server.host_id = ?5)
        ORDER BY server.id LIMIT ?6
        """,
        [id?.value ?? 0, filter.accountID, filter.status, filter.location, filter.hostID, limit])
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

  package func serverIDs(named name: String, limit: Int) async throws -> [ID<Server>] {
    try await read { database in
      try database.rows(
        "SELECT id FROM server WHERE erased_at IS NULL AND lower(name) = lower(?) ORDER BY id LIMIT ?", [name, limit]
      ) { row in try row.next() }
    }
  }

  package func requestAction(_ action: PowerAction, on id: ID<Server>, at now: Timestamp) async throws -> Server? {
    try await write { database in
      guard let server = try database.visibleServer(id) else { return nil }
      let operation = try database.begin(action, on: server, by: nil, at: now)
      try database.auditOperator(
        "server.\(action.rawValue)", account: server.accountID, server: id, operation: operation.id, at: now)
      return try database.server(id)
    }
  }

  package func requestDeletion(of id: ID<Server>, at now: Timestamp) async throws -> Bool {
    try await write { [tariff] database in
      guard let server = try database.visibleServer(id) else { return false }
      try database.deleteByOperator(server, tariff, at: now)
      return true
    }
  }
}

extension SQLConnection {
  func deleteByOperator(_ server: Server, _ tariff: Tariff, at now: Timestamp) throws {
    let operation = try hideAndErase(server.id, by: nil, tariff, at: now)
    try auditOperator("server.delete", account: server.accountID, server: server.id, operation: operation.id, at: now)
  }

  func visibleServer(_ id: ID<Server>) throws -> Server? {
    try first("\(Server.query) WHERE server.id = ? AND server.deleted_at IS NULL", [id])
  }

  fileprivate func listing(of server: Server) throws -> ServerListing {
    ServerListing(
      server: server,
      email: try value(String.self, "SELECT email FROM account WHERE id = ?", [server.accountID])
        .orFail("its account is gone"),
      host: try value(String.self, "SELECT name FROM host WHERE id = ?", [server.hostID]).orFail("its host is gone"),
      pricePerHour: try value(Money.self, "SELECT price_per_hour FROM server WHERE id = ?", [server.id])
        .orFail("its price is gone"),
      deletedAt: try value(Timestamp?.self, "SELECT deleted_at FROM server WHERE id = ?", [server.id]) ?? nil,
      failure: try failure(of: server))
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
