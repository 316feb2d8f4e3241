package import Core
package import Foundation

extension ComputeDriver {
  /// With the standard allowance, as for an account that may not mail.
  package func applyFirewall(_ firewall: Firewall, to machine: UUID) async throws {
    try await applyFirewall(firewall, .standard, to: machine)
  }
}
