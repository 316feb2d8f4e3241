package import Core
import Foundation
import GRDB

extension SQLStore {
  package func claim(
    _ request: RepeatableRequest, leaseUntil: Timestamp, forgetBefore: Timestamp, at now: Timestamp
  ) async throws -> RequestState {
    try await write { database in
      try database.run("DELETE FROM repeatable_request WHERE created_at <= ?", [forgetBefore])
      let known: StoredRequest? = try database.first(
        "SELECT \(StoredRequest.columns) FROM repeatable_request WHERE account_id = ? AND key_hash = ?",
        [request.accountID, request.keyHash])
      if let state = known?.state(for: request, at: now), state != .claimed { return state }
      try database.run(
        """
        INSERT INTO repeatable_request (account_id, key_hash, fingerprint, claim, lease_expires_at, created_at)
        VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (account_id, key_hash) DO UPDATE SET
          claim = excluded.claim, lease_expires_at = excluded.lease_expires_at
        """,
        [request.accountID, request.keyHash, request.fingerprint, request.claim.text, leaseUntil, now])
      return .claimed
    }
  }

  package func finish(_ request: RepeatableRequest, status: Int, sealedBody: [UInt8]) async throws {
    _ = try await write { database in
      try database.run(
        "UPDATE repeatable_request SET status = ?, sealed_body = ? WHERE claim = ?",
        [status, Data(sealedBody), request.claim.text])
    }
  }

  package func abandon(_ request: RepeatableRequest) async throws {
    _ = try await write { database in
      try database.run(
        "DELETE FROM repeatable_request WHERE claim = ? AND has_effect = 0 AND status IS NULL", [request.claim.text])
    }
  }
}

extension Database {
  /// What a repeatable request changes goes with this mark, or not at all.
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
  let sealedBody: Data?

  init(from row: inout RowReader) throws {
    fingerprint = try row.next()
    leaseExpiresAt = try row.next()
    hasEffect = try row.next()
    status = try row.next()
    sealedBody = try row.next()
  }

  func state(for request: RepeatableRequest, at now: Timestamp) -> RequestState {
    guard fingerprint == request.fingerprint else { return .different }
    if let status, let sealedBody { return .answered(status: status, sealedBody: [UInt8](sealedBody)) }
    if now < leaseExpiresAt { return .underWay }
    return hasEffect ? .carriedOut : .claimed
  }
}
