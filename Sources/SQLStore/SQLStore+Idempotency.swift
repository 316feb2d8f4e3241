package import Core

extension SQLStore {
  package func claim(
    _ request: IdempotentRequest, leaseUntil: Timestamp, keeping retention: RequestRetention, at now: Timestamp
  ) async throws -> RequestState {
    try await write { [replica] database in
      // While the clock is in doubt nothing becomes old: what is forgotten too early would be carried out twice.
      let time = try database.billingTime(at: now) ?? now
      try database.forgetSomeRequests(until: time - retention.lifetime)
      let known = try database.storedRequest(request, since: time - retention.lifetime)
      if let state = known?.state(for: request, at: now), state != .claimed { return state }
      if known == nil { try database.makeRoom(for: request, retention, at: time) }
      try database.run(
        """
        INSERT INTO repeatable_request
          (account_id, principal, key_hash, fingerprint, claim, lease_expires_at, created_at, replica_id)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (account_id, principal, key_hash) DO UPDATE SET fingerprint = excluded.fingerprint,
          claim = excluded.claim, lease_expires_at = excluded.lease_expires_at, created_at = excluded.created_at,
          replica_id = excluded.replica_id
        """,
        [
          request.accountID, request.principal.description, request.keyHash, request.fingerprint, request.claim.text,
          leaseUntil, now, replica?.id,
        ])
      return .claimed
    }
  }

  package func finish(_ request: IdempotentRequest, status: Int, sealedBody: [UInt8]) async throws {
    _ = try await write { database in
      try database.run(
        "UPDATE repeatable_request SET status = ?, sealed_body = ? WHERE claim = ?",
        [status, sealedBody, request.claim.text])
    }
  }

  package func abandon(_ request: IdempotentRequest) async throws {
    _ = try await write { database in
      try database.run(
        "DELETE FROM repeatable_request WHERE claim = ? AND has_effect = 0 AND status IS NULL", [request.claim.text])
      // A request with an effect stays without a lease, so that a repetition hears at once that it was carried out.
      try database.run(
        "UPDATE repeatable_request SET lease_expires_at = 0 WHERE claim = ? AND status IS NULL", [request.claim.text])
    }
  }
}

private let requestsForgottenAtOnce = 100

extension SQLConnection {
  /// Some at a time, because others wait for this transaction. Each claim forgets more requests than it adds.
  fileprivate func forgetSomeRequests(until time: Timestamp) throws {
    try run(
      """
      DELETE FROM repeatable_request WHERE claim IN (
        SELECT claim FROM repeatable_request WHERE created_at <= ? ORDER BY created_at LIMIT ?)
      """,
      [time, requestsForgottenAtOnce])
  }

  /// The stored request with this key. Requests from before principals were stored have an empty one.
  fileprivate func storedRequest(_ request: IdempotentRequest, since time: Timestamp) throws -> StoredRequest? {
    let key: SQLArguments = [request.accountID, request.principal.description, request.keyHash]
    try run(
      """
      DELETE FROM repeatable_request
      WHERE account_id = ? AND principal IN (?, '') AND key_hash = ? AND created_at <= ?
      """,
      key + [time])
    return try first(
      """
      SELECT \(StoredRequest.columns) FROM repeatable_request
      WHERE account_id = ? AND principal IN (?, '') AND key_hash = ? ORDER BY principal DESC LIMIT 1
      """,
      key)
  }

  /// Forgets the oldest requests until there is room, but none that its client may still repeat. Throws where that is not
  /// enough.
  fileprivate func makeRoom(
    for request: IdempotentRequest, _ retention: RequestRetention, at time: Timestamp
  ) throws {
    while try !hasRoom(for: request.accountID, retention) {
      let forgotten = try run(
        """
        DELETE FROM repeatable_request WHERE claim IN (
          SELECT claim FROM repeatable_request WHERE account_id = ? AND created_at <= ? ORDER BY created_at LIMIT ?)
        """,
        [request.accountID, time - retention.certainLifetime, requestsForgottenAtOnce])
      guard forgotten > 0 else {
        throw Failure(
          .permissionDenied,
          retention.maximumCount.map { "Idempotency-Key quota reached (\($0))." } ?? "Idempotency-Key quota reached.")
      }
    }
  }

  private func hasRoom(for account: ID<Account>, _ retention: RequestRetention) throws -> Bool {
    let totals = try rows(
      "SELECT request_count, body_bytes FROM repeatable_request_total WHERE account_id = ?", [account]
    ) { row in (count: try row.next(Int.self), bytes: try row.next(Int.self)) }
    guard let total = totals.first else { return true }
    return total.count < retention.maximumCount ?? .max && total.bytes < retention.maximumBytes
  }

  /// Marks the request's claim in the transaction of its changes. Throws where the claim was lost.
  func markEffect(of caller: Caller) throws {
    guard let claim = caller.requestClaim else { return }
    guard try run("UPDATE repeatable_request SET has_effect = 1 WHERE claim = ?", [claim.text]) > 0 else {
      throw Failure(.conflict, "Another request with this Idempotency-Key came first.")
    }
  }
}

private struct StoredRequest: RowReadable {
  static let columns = "fingerprint, lease_expires_at, has_effect, status, sealed_body"

  let fingerprint: String
  let leaseExpiresAt: Timestamp
  let hasEffect: Bool
  let status: Int?
  let sealedBody: [UInt8]?

  init(from row: inout RowReader) throws {
    fingerprint = try row.next()
    leaseExpiresAt = try row.next()
    hasEffect = try row.next()
    status = try row.next()
    sealedBody = try row.next()
  }

  func state(for request: IdempotentRequest, at now: Timestamp) -> RequestState {
    // The lease is over, and whoever had it has changed nothing and cannot any more.
    if status == nil, !hasEffect, leaseExpiresAt <= now { return .claimed }
    guard fingerprint == request.fingerprint else { return .different }
    if let status, let sealedBody { return .answered(status: status, sealedBody: sealedBody) }
    return now < leaseExpiresAt ? .underWay : .carriedOut
  }
}
