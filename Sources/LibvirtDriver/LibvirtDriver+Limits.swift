package import Core
package import Foundation
import HostPrograms
import Logging
import Synchronization

/// Logs something once, such as what the host cannot do.
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
      // Where weights work and this one was not applied, an error makes the caller try again.
      guard !keepWeight(limits.cpuWeight, of: machine, domain), canKeepWeights else { return }
      throw DriverError(.unreachable, "its emulator could not be placed in its control group")
    }
  }

  private var canKeepWeights: Bool { configuration.daemon == .own && controlGroups != nil }

  /// Returns false if the weight could not be applied. The machine runs all the same, and the reason is logged once.
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
      // The machine may have ended meanwhile.
      guard (try? domain.isActive()) == true else { return true }
      unkeptWeights.say {
        logger.notice(
          "processors cannot be shared among servers by the weights of their plans on this host",
          metadata: ["reason": "\(error)"])
      }
      return false
    }
  }

  /// The QEMU process by the PID file of our libvirtd; nil if the process is gone or is another one by now.
  private func emulator(of machine: UUID, _ domain: Domain) -> pid_t? {
    guard let daemon = hypervisor.daemon as? PrivateLibvirtd else { return nil }
    return HostProcess(inFile: daemon.processPath(domain: domain.name)) { $0.mentions(machine.text) }?.id
  }
}
