package import Foundation

/// A request that its client may send again and that is carried out once. Neither the client's key nor the answer can be
/// read from what is stored.
package struct RepeatableRequest: Sendable {
  package let accountID: ID<Account>
  package let keyHash: String
  /// The same for the same method, path and body.
  package let fingerprint: String
  /// Names this attempt: what it changes, it changes only while the claim is its own.
  package let claim: UUID

  package init(accountID: ID<Account>, keyHash: String, fingerprint: String, claim: UUID) {
    self.accountID = accountID
    self.keyHash = keyHash
    self.fingerprint = fingerprint
    self.claim = claim
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
