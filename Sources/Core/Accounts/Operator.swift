/// Who works as the operator, as far as the audit trail remembers it.
package enum Operator: Sendable, Equatable {
  /// Whoever may run commands on the host.
  case host
  /// A person who is signed in to the panel, of an account that is an operator's. That it still is one is asked for again by the
  /// transaction that changes something.
  case person(Caller)
}
