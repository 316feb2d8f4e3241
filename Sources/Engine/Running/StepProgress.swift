import Core

/// What becomes of an operation after one of its steps.
enum StepProgress: Sendable {
  /// The next step is run at once, under the same lease.
  case goesOn(Lease)
  /// The same step is run again in a moment, under the same lease.
  case waits
  /// The lease is given back.
  case over(isActivation: Bool)
}
