package import Core

extension SQLStore {
  package func ask(for reset: PasswordReset, until deadline: Timestamp, at now: Timestamp) async throws -> Bool {
    try await write { database in
      try database.run("DELETE FROM password_reset WHERE expires_at <= ?", [now])
      let isNew = try database.run(
        """
        INSERT INTO password_reset (server_id, username, hash, asked_at, expires_at) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (server_id) DO NOTHING
        """,
        [reset.serverID, reset.account, reset.hash, now, deadline])
      if isNew > 0 { try database.tell("password \(reset.hostID)") }
      return isNew > 0
    }
  }

  package func outcome(of reset: PasswordReset) async throws -> PasswordReset.Outcome? {
    try await read { database in
      let found = try database.rows(
        "SELECT outcome, customer_reason FROM password_reset WHERE server_id = ? AND hash = ?",
        [reset.serverID, reset.hash]
      ) { row in (name: try row.next(String?.self), reason: try row.next(String?.self)) }.first
      guard let found, let name = found.name else { return nil }
      guard let kind = DriverError.Kind(rawValue: name) else { return .done }
      return .failed(kind, customerReason: found.reason)
    }
  }

  package func forget(_ reset: PasswordReset) async throws {
    _ = try await write { database in
      try database.run("DELETE FROM password_reset WHERE server_id = ? AND hash = ?", [reset.serverID, reset.hash])
    }
  }

  package func passwordResets(on host: ID<Host>, limit: Int, at now: Timestamp) async throws -> [PasswordReset] {
    try await read { database in
      try database.rows(
        """
        SELECT server.id, server.host_id, server.uuid, password_reset.username, password_reset.hash
        FROM password_reset JOIN server ON server.id = password_reset.server_id
        WHERE server.host_id = ? AND password_reset.outcome IS NULL AND password_reset.expires_at > ?
        ORDER BY password_reset.asked_at, server.id LIMIT ?
        """,
        [host, now, limit]
      ) { row in
        PasswordReset(
          serverID: try row.next(), hostID: try row.next(), machine: try row.next(), account: try row.next(),
          hash: try row.next())
      }
    }
  }

  package func record(_ outcome: PasswordReset.Outcome, of reset: PasswordReset) async throws {
    let (name, reason): (String, String?) =
      switch outcome {
      case .done: (Self.done, nil)
      case .failed(let kind, let reason): (kind.rawValue, reason)
      }
    try await write { database in
      let isKnown = try database.run(
        "UPDATE password_reset SET outcome = ?, customer_reason = ? WHERE server_id = ? AND hash = ?",
        [name, reason, reset.serverID, reset.hash])
      if isKnown > 0 { try database.tell("\(reset.serverID) \(reset.hostID)") }
    }
  }

  /// Unlike the name of any kind of failure.
  private static let done = "done"
}
