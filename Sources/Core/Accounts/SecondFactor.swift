/// The second factor that an account asks for in addition to its password: one-time codes.
package struct SecondFactor: Sendable, Equatable {
  /// The secret of the one-time codes, in base 32.
  package let secret: String
  /// The time step of the last code that was used: no code of this step or an earlier one is accepted again.
  package let lastStep: Int64
  /// The hashes of the recovery codes that are left: each replaces a one-time code, once.
  package let recoveryHashes: Set<String>

  package init(secret: String, lastStep: Int64, recoveryHashes: Set<String>) {
    self.secret = secret
    self.lastStep = lastStep
    self.recoveryHashes = recoveryHashes
  }
}

/// How the second factor was proved. The transaction that signs in uses up the code, so that it works only once.
package enum FactorProof: Sendable, Equatable {
  /// The account has no second factor.
  case none
  case code(step: Int64)
  case recovery(hash: String)
}
