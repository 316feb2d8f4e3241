package import Core
import GRDB

extension SQLStore {
  package func tokens(of account: ID<Account>) async throws -> [Token] {
    try await read { database in
      try database.all(
        "SELECT \(Token.columns) FROM token WHERE account_id = ? AND revoked_at IS NULL ORDER BY id", [account])
    }
  }

  package func token(_ id: ID<Token>, of account: ID<Account>) async throws -> Token? {
    try await read { database in
      try database.first(
        "SELECT \(Token.columns) FROM token WHERE id = ? AND account_id = ? AND revoked_at IS NULL", [id, account])
    }
  }

  package func createToken(_ token: NewToken, by caller: Caller, at now: Timestamp) async throws -> Token {
    try await write { database in
      let created = try database.insert(token, at: now)
      try database.audit("token.create", detail: "\(created.id)", by: caller, at: now)
      return created
    }
  }

  package func revokeToken(_ id: ID<Token>, by caller: Caller, at now: Timestamp) async throws -> Bool {
    try await write { database in
      let revoked = try database.run(
        "UPDATE token SET revoked_at = ? WHERE id = ? AND account_id = ? AND revoked_at IS NULL",
        [now, id, caller.accountID])
      guard revoked > 0 else { return false }
      try database.audit("token.revoke", detail: "\(id)", by: caller, at: now)
      return true
    }
  }

  package func updateProfile(of account: ID<Account>, _ change: ProfileChange, at now: Timestamp) async throws -> Bool {
    try await write { database in
      let updated = try database.run(
        """
        UPDATE account SET first_name = COALESCE(?, first_name), last_name = COALESCE(?, last_name),
          company_name = COALESCE(?, company_name)
        WHERE id = ?
        """,
        [change.firstName, change.lastName, change.companyName, account])
      guard updated > 0 else { return false }
      try database.auditOperator("account.update", account: account, at: now)
      return true
    }
  }
}
