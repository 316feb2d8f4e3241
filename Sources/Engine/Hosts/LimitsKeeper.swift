import Core
import Foundation
import Logging
import Synchronization

/// Holds the machines of a host that run to what their plans say, also where a plan was changed since they were started.
final class LimitsKeeper: Sendable {
  /// In one look: others who need the host have their turn in between.
  private static let machinesAtOnce = 100

  private let driver: any ComputeDriver
  private let logger: Logger
  /// Of those that were seen to run by this process.
  private let inForce = Mutex<[UUID: ResourceLimits]>([:])

  init(_ driver: any ComputeDriver, logger: Logger) {
    self.driver = driver
    self.logger = logger
  }

  func apply(_ catalogue: Catalogue, to inventory: [InventoryItem], _ observed: MachineObservation) async {
    let wanted = inventory.compactMap { item -> (machine: UUID, limits: ResourceLimits)? in
      guard !item.isDeleted, observed.power(of: item.uuid) == .running, let plan = catalogue.plan(item.planID) else {
        return nil
      }
      return (item.uuid, plan.limits)
    }
    let running = Set(wanted.map(\.machine))
    let due = inForce.withLock { inForce in
      // One that was off was given what its plan says when it was defined.
      inForce = inForce.filter { running.contains($0.key) }
      return wanted.filter { inForce[$0.machine] != $0.limits }.prefix(Self.machinesAtOnce)
    }
    for (machine, limits) in due {
      do {
        try await driver.applyLimits(limits, to: machine)
        inForce.withLock { $0[machine] = limits }
      } catch {
        logger.warning(
          "a machine is not held to its plan; it is tried again",
          metadata: ["machine": "\(machine)", "error": "\(String(reflecting: error))"])
      }
    }
  }
}
