package import Foundation

/// A request that its client may send again and that is carried out once. Neither the client's key nor the answer can be
/// read from what is stored.
package struct IdempotentRequest: Sendable {
  package let accountID: ID<Account>
  /// Whose key it is: the same one of another caller is another key.
  package let principal: Principal
  package let keyHash: String
  /// The same for the same method, path and body.
  package let fingerprint: String
  /// Names this attempt: what it changes, it changes only while the claim is its own.
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
  /// What was first asked at this time or before is forgotten.
  package let forgetUntil: Timestamp
  /// What was first asked at this time or before may be forgotten to make room for another one.
  package let makeRoomUntil: Timestamp
  /// Nil for as many as there are.
  package let maximumCount: Int?
  package let maximumBytes: Int

  package init(forgetUntil: Timestamp, makeRoomUntil: Timestamp, maximumCount: Int?, maximumBytes: Int) {
    self.forgetUntil = forgetUntil
    self.makeRoomUntil = makeRoomUntil
    self.maximumCount = maximumCount
    self.maximumBytes = maximumBytes
  }
}

/// What is known of a request when it comes.
package enum RequestState: Sendable, Equatable {
  /// Nobody has carried it out: the claim is granted.
  case claimed
  /// Somebody else is at it.
  case underWay
  /// The key was used for another request.
  case different
  /// It was carried out, by a process that died before it could keep the answer.
  case carriedOut
  case answered(status: Int, sealedBody: [UInt8])
}
