package import Core

extension SQLStore {
  package func firewall(of id: ID<Server>, of account: ID<Account>) async throws -> ServerFirewall? {
    try await read { database in try database.firewall(of: id, of: account) }
  }

  package func firewall(of id: ID<Server>) async throws -> ServerFirewall? {
    try await read { database in
      try database.first("\(ServerFirewall.query) WHERE server.id = ? AND server.erased_at IS NULL", [id])
    }
  }

  package func setFirewall(
    _ firewall: Firewall, of id: ID<Server>, expecting expected: Firewall?, by caller: Caller, at now: Timestamp
  ) async throws -> ServerFirewall? {
    try await write { database in
      guard let before = try database.firewall(of: id, of: caller.accountID) else { return nil }
      if let expected, expected != before.firewall { throw Failure.firewallChangedMeanwhile }
      guard firewall != before.firewall else { return before }
      try database.replaceFirewall(of: id, with: firewall, at: now)
      let state = firewall.isEnabled ? "enabled" : "disabled"
      try database.audit(
        "server.firewall", on: id, detail: "\(state) rules=\(firewall.rules.count)", by: caller, at: now)
      return try database.firewall(of: id, of: caller.accountID)
    }
  }

  package func serversAwaitingFirewall(
    on host: ID<Core.Host>, after id: ID<Server>?, limit: Int
  ) async throws -> [ID<Server>] {
    try await read { database in
      try database.rows(
        """
        SELECT firewall.server_id FROM server_firewall AS firewall JOIN server ON server.id = firewall.server_id
        WHERE firewall.applied_revision < firewall.revision AND firewall.server_id > ? AND server.host_id = ?
          AND server.deleted_at IS NULL
        ORDER BY firewall.server_id LIMIT ?
        """,
        [id?.value ?? 0, host, limit]
      ) { row in try row.next() }
    }
  }

  package func serversAwaitingNewestFirewall(on host: ID<Core.Host>, limit: Int) async throws -> [ID<Server>] {
    try await read { database in
      try database.rows(
        """
        SELECT firewall.server_id FROM server_firewall AS firewall JOIN server ON server.id = firewall.server_id
        WHERE firewall.applied_revision < firewall.revision AND server.host_id = ? AND server.deleted_at IS NULL
        ORDER BY firewall.updated_at DESC, firewall.server_id DESC LIMIT ?
        """,
        [host, limit]
      ) { row in try row.next() }
    }
  }

  package func recordFirewall(_ revision: Int64, appliedTo id: ID<Server>) async throws {
    try await write { database in
      _ = try database.run(
        """
        UPDATE server_firewall SET applied_revision = ?1
        WHERE server_id = ?2 AND applied_revision < ?1 AND revision >= ?1
        """,
        [revision, id])
    }
  }
}

extension SQLConnection {
  /// As its customer sees it.
  func firewall(of id: ID<Server>, of account: ID<Account>) throws -> ServerFirewall? {
    try first(
      "\(ServerFirewall.query) WHERE server.id = ? AND server.account_id = ? AND server.deleted_at IS NULL",
      [id, account])
  }

  func replaceFirewall(of id: ID<Server>, with firewall: Firewall, at now: Timestamp) throws {
    try run(
      """
      INSERT INTO server_firewall (server_id, is_enabled, rules, revision, updated_at) VALUES (?, ?, ?, 1, ?)
      ON CONFLICT (server_id) DO UPDATE SET is_enabled = excluded.is_enabled, rules = excluded.rules,
        revision = server_firewall.revision + 1, updated_at = excluded.updated_at
      """,
      [id, firewall.isEnabled, try StoredRules(firewall.rules), now])
  }

  /// Has the hosts apply the firewalls of all servers of the account again, because what these servers may do has changed.
  func touchFirewalls(of account: ID<Account>) throws { try touchFirewalls("account_id = ?", account.value) }

  /// The same for all servers with the plan.
  func touchFirewalls(with plan: ID<Plan>) throws { try touchFirewalls("plan_id = ?", plan.value) }

  func touchFirewall(of server: ID<Server>) throws { try touchFirewalls("id = ?", server.value) }

  private func touchFirewalls(_ condition: String, _ id: Int64) throws {
    try run(
      """
      INSERT INTO server_firewall (server_id, is_enabled, rules, revision, updated_at)
      SELECT id, 0, '[]', 1, created_at FROM server WHERE \(condition) AND erased_at IS NULL
      ON CONFLICT (server_id) DO UPDATE SET revision = server_firewall.revision + 1
      """,
      [id])
  }

  func eraseFirewall(of id: ID<Server>) throws {
    try run("DELETE FROM server_firewall WHERE server_id = ?", [id])
    try run("DELETE FROM server_throttle WHERE server_id = ?", [id])
  }
}
