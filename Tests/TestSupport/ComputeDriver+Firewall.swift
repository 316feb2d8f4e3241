package import Core
package import Foundation

extension ComputeDriver {
  /// For an account that may not mail.
  package func applyFirewall(_ firewall: Firewall, to machine: UUID) async throws {
    try await applyFirewall(firewall, .standard, to: machine)
  }
}
