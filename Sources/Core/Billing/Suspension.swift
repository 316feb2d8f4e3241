/// Why an account's servers are stopped and kept off. Each cause is lifted separately: `credit` by a payment,
/// `operator` by the operator.
package enum SuspensionCause: String, Sendable, CaseIterable {
  case credit
  case `operator`
}

/// Whether an account is suspended, since when, and why.
package struct AccountSuspension: Sendable, Equatable {
  /// The rule for the reason that the operator gives the customer.
  package static let reasonRule = TextRule(maximumLength: 255)

  /// Since when the account has been out of credit; nil if it is not.
  package let outOfCreditSince: Timestamp?
  /// When its servers are deleted for being out of credit.
  package let deletionAt: Timestamp?
  package let byOperatorSince: Timestamp?
  package let operatorReason: String?

  package static let none = AccountSuspension(
    outOfCreditSince: nil, deletionAt: nil, byOperatorSince: nil, operatorReason: nil)

  package init(
    outOfCreditSince: Timestamp?, deletionAt: Timestamp?, byOperatorSince: Timestamp?, operatorReason: String?
  ) {
    self.outOfCreditSince = outOfCreditSince
    self.deletionAt = deletionAt
    self.byOperatorSince = byOperatorSince
    self.operatorReason = operatorReason
  }

  /// The more serious cause if there are both; nil if the account is not suspended.
  package var cause: SuspensionCause? {
    if byOperatorSince != nil { return .operator }
    return outOfCreditSince == nil ? nil : .credit
  }
}
