import Core

/// The right to run a step now.
struct Turn: Sendable {
  let lease: Lease
  /// Whether the lease was kept while the step waited, and may be lost or overtaken since.
  let hasWaited: Bool

  init(_ lease: Lease, hasWaited: Bool = false) {
    self.lease = lease
    self.hasWaited = hasWaited
  }

  /// What becomes of the operation after the step.
  enum Progress: Sendable {
    /// The next step is run at once, under the same lease.
    case goesOn(Lease)
    /// The same step is run again in a moment, under the same lease.
    case waits
    /// The lease is given back.
    case over(isActivation: Bool)
  }
}
