package import Core
package import Foundation
import NIOHTTP1

/// A container of a member that is lost goes to another one by Incus itself: while the member is offline, and the disk is in a pool that
/// every member reaches, a move changes no more than what the cluster writes down of it. There is one container of that name in the
/// cluster at any moment.
extension IncusDriver: MachineHeir {
  package func canInherit(from source: any ComputeDriver) -> Bool {
    guard let source = source as? IncusDriver, configuration.sharesStorage, cluster.isKnownToShareDisks else {
      return false
    }
    return source.cluster === cluster && configuration.member != nil
      && source.configuration.member != configuration.member
  }

  /// Why disks cannot be reached by all members, as the configuration says; nil where they can, or it does not say so. Throws where
  /// nobody answers.
  package func storageFault() async throws -> String? {
    guard configuration.sharesStorage else { return nil }
    return try await DriverError.translating {
      let name = configuration.storagePool
      let pool = try await client.get(
        IncusPath("storage-pools", name), as: StoragePool.self, within: IncusDeadline.instance)
      let facts = try await client.get(IncusPath(), as: ServerFacts.self, within: IncusDeadline.server)
      let isRemote = facts.environment?.storageDrivers?.contains { $0.name == pool.driver && $0.isRemote } == true
      cluster.note(sharesDisks: isRemote)
      return isRemote
        ? nil
        : "shared_storage: the storage pool \(name) is of the driver \(pool.driver), whose disks only their own member reaches"
    }
  }

  package func ensureInherited(_ machine: UUID) async throws {
    guard configuration.sharesStorage, let member = configuration.member else {
      throw DriverError(.rejected, "shared_storage: the disks of this host are its own")
    }
    if let fault = try await storageFault() { throw DriverError(.rejected, fault) }
    try await DriverError.translating {
      let answer = try await cluster.instances()
      guard !answer.isOld else { throw DriverError(.unreachable, "Incus does not tell in time how its instances are") }
      // Of one whose member is away only its name and its member are known; the name is ours alone.
      guard let listed = answer.value.first(where: { $0.name == Instance.name(of: machine) }) else { return }
      if listed.isOutOfReach, listed.location != member {
        guard try await !isChanging(machine) else { throw Self.isMoving(machine) }
        try await relink(machine, to: member)
      }
      guard let instance = try await anyInstance(of: machine) else { throw Self.absent(machine) }
      // Where the lost member is back, it is managed from here until an operator brings it over.
      if instance.home != member { try await mark(machine, .member, member) }
    }
  }

  /// Moves one whose member is offline. Where that is back meanwhile, this is a move as any other, which Incus refuses for one that runs.
  private func relink(_ machine: UUID, to member: String) async throws {
    let body = JSONBody(["name": .text(Instance.name(of: machine)), "migration": .flag(true)])
    try await client.finish(
      .init(
        method: .POST, path: path(machine).with("target", member), body: body.bytes, deadline: IncusDeadline.instance),
      within: IncusDeadline.create)
  }
}
