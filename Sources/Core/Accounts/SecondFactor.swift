/// What an account asks for beside its password.
package struct SecondFactor: Sendable, Equatable {
  /// Of its one-time codes, in base 32.
  package let secret: String
  /// The step of the last code that was used.
  package let lastStep: Int64
  /// Of codes that are each good once in the place of one of these.
  package let recoveryHashes: Set<String>

  package init(secret: String, lastStep: Int64, recoveryHashes: Set<String>) {
    self.secret = secret
    self.lastStep = lastStep
    self.recoveryHashes = recoveryHashes
  }
}

/// How an account's second factor was shown to be there, so that it can be used up with the sign-in.
package enum FactorProof: Sendable, Equatable {
  /// There is none.
  case none
  case code(step: Int64)
  case recovery(hash: String)
}
