/// Why an account's servers are off, and kept off. Each cause is lifted by its own only: a payment, or the operator.
package enum SuspensionCause: String, Sendable, CaseIterable {
  case credit
  case `operator`
}

/// In which way an account is suspended.
package struct AccountSuspension: Sendable, Equatable {
  /// Rule for what the operator says to the customer.
  package static let reasonRule = TextRule(maximumLength: 255)

  /// Since when nothing can be paid.
  package let outOfCreditSince: Timestamp?
  /// When its servers are deleted for that.
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

  /// The one that weighs more, where there are both.
  package var cause: SuspensionCause? {
    if byOperatorSince != nil { return .operator }
    return outOfCreditSince == nil ? nil : .credit
  }
}
