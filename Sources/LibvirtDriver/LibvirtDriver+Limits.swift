package import Core
package import Foundation
import HostPrograms
import Logging
import Synchronization

/// What a host cannot do is said once.
final class SaidOnce: Sendable {
  private let isSaid = Atomic(false)

  func say(_ body: () -> Void) {
    if !isSaid.exchange(true, ordering: .relaxed) { body() }
  }
}

extension LibvirtDriver {
  package func applyLimits(_ limits: ResourceLimits, to machine: UUID) async throws {
    try await onDomain(machine, "hold the machine to its plan") { domain in
      guard try domain.isActive() else { return }
      try domain.limitDisk(to: limits)
      // Where it can be kept, and was not, it is asked for again.
      guard !keepWeight(limits.cpuWeight, of: machine, domain), canKeepWeights else { return }
      throw DriverError(.unreachable, "its emulator could not be placed in its control group")
    }
  }

  private var canKeepWeights: Bool { configuration.daemon == .own && controlGroups != nil }

  /// Where processors cannot be shared by weight, a machine runs all the same. Returns whether it is held to its weight.
  @discardableResult
  func keepWeight(_ weight: Int, of machine: UUID, _ domain: Domain) -> Bool {
    do {
      switch configuration.daemon {
      case .host: try domain.setProcessorWeight(weight)
      case .own:
        guard let controlGroups else { throw DriverError(.rejected, "the host has no control groups for them") }
        guard let process = emulator(of: machine, domain) else { return false }
        try controlGroups.hold(process, of: machine, to: weight)
      }
      return true
    } catch {
      // It may have ended meanwhile.
      guard (try? domain.isActive()) == true else { return true }
      unkeptWeights.say {
        logger.notice(
          "processors cannot be shared among servers by the weights of their plans on this host",
          metadata: ["reason": "\(error)"])
      }
      return false
    }
  }

  /// As libvirtd wrote it down, if it is still that process.
  private func emulator(of machine: UUID, _ domain: Domain) -> pid_t? {
    guard let daemon = hypervisor.daemon as? PrivateLibvirtd else { return nil }
    return HostProcess(inFile: daemon.processPath(domain: domain.name)) { $0.mentions(machine.text) }?.id
  }
}
