package import Core

extension SQLStore {
  package func keep(
    _ pending: PendingSignIn, hash: String, until deadline: Timestamp, limits: PendingSignInLimits, at now: Timestamp
  ) async throws {
    try await write { database in
      try database.run("DELETE FROM pending_sign_in WHERE expires_at <= ?", [now])
      // Too many sign-ins of one account displace only its own oldest one.
      let own = try database.value(Int.self, "SELECT COUNT(*) FROM pending_sign_in WHERE email = ?", [pending.email])
      if own ?? 0 >= limits.ofOne {
        try database.run(
          """
          DELETE FROM pending_sign_in WHERE hash IN
            (SELECT hash FROM pending_sign_in WHERE email = ? ORDER BY expires_at LIMIT 1)
          """,
          [pending.email])
      } else if try database.value(Int.self, "SELECT COUNT(*) FROM pending_sign_in") ?? 0 >= limits.inAll {
        try database.run(
          "DELETE FROM pending_sign_in WHERE hash IN (SELECT hash FROM pending_sign_in ORDER BY expires_at LIMIT 1)")
      }
      let (password, link, account) = pending.claim.columns
      try database.run(
        """
        INSERT INTO pending_sign_in (hash, email, password_hash, link_hash, account_id, expires_at)
        VALUES (?, ?, ?, ?, ?, ?)
        """,
        [hash, pending.email, password, link, account, deadline])
    }
  }

  package func tryPendingSignIn(
    hash: String, limits: PendingSignInLimits, at now: Timestamp
  ) async throws -> PendingSignIn? {
    // A read first, so that a stranger who guesses does not delay those who write.
    let isThere = try await read { database in
      try database.value(String.self, "SELECT email FROM pending_sign_in WHERE hash = ?", [hash]) != nil
    }
    guard isThere else { return nil }
    return try await write { database in
      try database.first(
        """
        UPDATE pending_sign_in SET tries = tries + 1 WHERE hash = ? AND expires_at > ? AND tries < ?
        RETURNING \(PendingSignIn.columns)
        """,
        [hash, now, limits.tries])
    }
  }

  package func forgetPendingSignIn(hash: String) async throws {
    _ = try await write { database in try database.run("DELETE FROM pending_sign_in WHERE hash = ?", [hash]) }
  }
}

extension PendingSignIn: RowReadable {
  static let columns = "email, password_hash, link_hash, account_id"

  init(from row: inout RowReader) throws {
    let email = try row.next(String.self)
    let password = try row.next(String?.self)
    let link = try row.next(TokenHash?.self)
    let account = try row.next(ID<Account>?.self)
    if let password {
      self.init(email: email, claim: .password(hash: password))
    } else {
      self.init(
        email: email, claim: .link(try link.orFail("there is no link"), try account.orFail("there is no account")))
    }
  }
}

extension PendingSignIn.Claim {
  fileprivate var columns: (password: String?, link: TokenHash?, account: ID<Account>?) {
    switch self {
    case .password(let hash): (hash, nil, nil)
    case .link(let hash, let account): (nil, hash, account)
    }
  }
}
