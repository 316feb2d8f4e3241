/// Who acts as the operator, as recorded in the audit trail.
package enum Operator: Sendable, Equatable {
  /// Somebody who runs a command on the host.
  case host
  /// A person signed in to the panel with an operator's account. The transaction that makes a change checks again that
  /// the account still is an operator's.
  case person(Caller)
  /// A program with an operator's token, which is made on the host. The transaction that makes a change checks again
  /// that the token is still valid.
  case program(Caller)
}
