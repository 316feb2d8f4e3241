package import Core

extension SQLStore {
  package func keep(
    _ grant: ConsoleGrant, ticketHash: String, until deadline: Timestamp, atMost limit: Int?, at now: Timestamp
  ) async throws {
    try await write { database in
      try database.run("DELETE FROM console_ticket WHERE expires_at <= ?", [now])
      if let limit {
        try database.run(
          """
          DELETE FROM console_ticket WHERE hash IN (
            SELECT hash FROM console_ticket WHERE server_id = ? ORDER BY expires_at DESC, hash LIMIT 1000000 OFFSET ?)
          """,
          [grant.serverID, max(limit - 1, 0)])
      }
      try database.run(
        "INSERT INTO console_ticket (hash, server_id, account_id, token_id, expires_at) VALUES (?, ?, ?, ?, ?)",
        [ticketHash, grant.serverID, grant.accountID, grant.tokenID, deadline])
    }
  }

  package func useConsoleTicket(hash: String, at now: Timestamp) async throws -> ConsoleGrant? {
    // A read first, so that a stranger who guesses does not delay those who write.
    let isThere = try await read { database in
      try database.value(String.self, "SELECT hash FROM console_ticket WHERE hash = ?", [hash]) != nil
    }
    guard isThere else { return nil }
    return try await write { database in
      let found = try database.rows(
        "DELETE FROM console_ticket WHERE hash = ? RETURNING server_id, account_id, token_id, expires_at", [hash]
      ) { row in
        (
          grant: ConsoleGrant(
            serverID: try row.next(), accountID: try row.next(), tokenID: try row.next()),
          deadline: try row.next(Timestamp.self)
        )
      }.first
      return found.flatMap { now < $0.deadline ? $0.grant : nil }
    }
  }
}
