/// Switches hosts off for certain, so that others can take over what they ran.
package protocol HostFence: Sendable {
  /// Returns once the host of this name is certainly off, and stays so until an operator switches it on. Throws `FenceFailure` where
  /// nobody can tell. It can safely be repeated.
  func fence(_ host: String) async throws
}

/// Why it is not certain that a host is off, for operators.
package struct FenceFailure: Error, CustomStringConvertible {
  package let description: String

  package init(_ description: String) {
    self.description = description
  }
}
