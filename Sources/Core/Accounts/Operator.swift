/// Who works as the operator, as far as the audit trail remembers it.
package enum Operator: Sendable, Equatable {
  /// Whoever may run commands on the host.
  case host
  /// A person who is signed in to the panel, of an account that is an operator's. That it still is one is asked for again by the
  /// transaction that changes something.
  case person(Caller)
  /// A program that bears a token that was made for an operator, on the host. That it is valid still is asked for again in the same way.
  case program(Caller)
}
