import Core
import Foundation
import Synchronization

/// Computes the usage of servers from the counters of their machines. The last CPU counters are in memory only: after a restart
/// of the service, the first CPU figure takes one interval.
final class UsageMeter: Sendable {
  private struct Reading {
    let cpuNanoseconds: Int64
    let at: Instant
    let cpuPermille: Int
  }

  /// Two readings closer than this say nothing about the load.
  private static let shortestInterval = Duration.seconds(1)

  private let readings = Mutex<[UUID: Reading]>([:])

  func samples(
    _ inventory: [InventoryItem], _ observed: MachineObservation, _ catalogue: Catalogue, at now: Instant
  ) -> [UsageSample] {
    let before = readings.withLock { $0 }
    var after: [UUID: Reading] = [:]
    let samples = inventory.compactMap { item -> UsageSample? in
      guard !item.isDeleted, let usage = observed.usage[item.uuid], let plan = catalogue.plan(item.planID) else {
        return nil
      }
      let reading = Self.reading(usage.cpuNanoseconds, vcpus: plan.vcpus, at: now, before: before[item.uuid])
      after[item.uuid] = reading
      return UsageSample(
        serverID: item.id, cpuPermille: reading.cpuPermille,
        memoryUsedMiB: min(usage.memoryUsedMiB ?? 0, plan.memoryMiB),
        diskUsedBytes: item.isInRescue ? nil : usage.diskUsedBytes, network: usage.network)
    }
    readings.withLock { $0 = after }
    return samples
  }

  private static func reading(_ cpuNanoseconds: Int64, vcpus: Int, at now: Instant, before: Reading?) -> Reading {
    guard let before, cpuNanoseconds >= before.cpuNanoseconds else {
      return Reading(cpuNanoseconds: cpuNanoseconds, at: now, cpuPermille: 0)
    }
    let elapsed = now - before.at
    guard elapsed >= shortestInterval else { return before }
    let available = elapsed.milliseconds * 1_000_000 * Int64(vcpus)
    // The hypervisor's own threads count too, so a busy machine can take more than its plan.
    let permille = min(1000, (cpuNanoseconds - before.cpuNanoseconds) * 1000 / available)
    return Reading(cpuNanoseconds: cpuNanoseconds, at: now, cpuPermille: Int(permille))
  }
}
