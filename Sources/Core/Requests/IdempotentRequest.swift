package import Foundation

/// A request that its client may repeat and that is carried out once. Neither the client's key nor the answer can be
/// read from what is stored.
package struct IdempotentRequest: Sendable {
  package let accountID: ID<Account>
  /// Whose key it is: the same key from another principal is another key.
  package let principal: Principal
  package let keyHash: String
  /// A hash of method, path and body, which must be the same in a repeat.
  package let fingerprint: String
  /// The id of this attempt, which may change something only while it holds the claim.
  package let claim: UUID

  package init(accountID: ID<Account>, principal: Principal, keyHash: String, fingerprint: String, claim: UUID) {
    self.accountID = accountID
    self.principal = principal
    self.keyHash = keyHash
    self.fingerprint = fingerprint
    self.claim = claim
  }
}

/// How much is kept of an account's requests, and for how long.
package struct RequestRetention: Sendable, Equatable {
  /// Requests first sent so long ago are forgotten.
  package let lifetime: Duration
  /// Requests first sent so long ago may be forgotten to make room for another one.
  package let certainLifetime: Duration
  /// Nil for no limit.
  package let maximumCount: Int?
  package let maximumBytes: Int

  package init(lifetime: Duration, certainLifetime: Duration, maximumCount: Int?, maximumBytes: Int) {
    self.lifetime = lifetime
    self.certainLifetime = certainLifetime
    self.maximumCount = maximumCount
    self.maximumBytes = maximumBytes
  }
}

/// What is known of a request when it arrives.
package enum RequestState: Sendable, Equatable {
  /// Nobody has carried it out, and this attempt holds the claim now.
  case claimed
  /// Another attempt is working on it.
  case underWay
  /// The key was used for a different request.
  case different
  /// It was carried out by a process that died before it could store the answer.
  case carriedOut
  case answered(status: Int, sealedBody: [UInt8])
}
