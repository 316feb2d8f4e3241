/// Requests that bear a key, so that a repeated one is not carried out again.
package protocol IdempotencyStore: Sendable {
  /// Grants the claim where nobody has it. Throws `permissionDenied` where as much is kept of the account's as may be, and
  /// nothing of it can make room.
  func claim(
    _ request: IdempotentRequest, leaseUntil: Timestamp, keeping retention: RequestRetention, at now: Timestamp
  ) async throws -> RequestState
  func finish(_ request: IdempotentRequest, status: Int, sealedBody: [UInt8]) async throws
  /// Gives the claim back; where something was changed under it, only that nobody is at it any more is written down.
  func abandon(_ request: IdempotentRequest) async throws
}
