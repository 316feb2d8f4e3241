/// Requests with an idempotency key, so that a repeated one is not carried out again.
package protocol IdempotencyStore: Sendable {
  /// Grants the claim if nobody has it. Throws `permissionDenied` if the account's stored requests have reached a
  /// limit, and none of them may be forgotten to make room.
  func claim(
    _ request: IdempotentRequest, leaseUntil: Timestamp, keeping retention: RequestRetention, at now: Timestamp
  ) async throws -> RequestState
  func finish(_ request: IdempotentRequest, status: Int, sealedBody: [UInt8]) async throws
  /// Gives the claim back. If something was changed under it, the claim stays, and is only recorded as not being worked
  /// on.
  func abandon(_ request: IdempotentRequest) async throws
}
