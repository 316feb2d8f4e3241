package import Core
package import Foundation
import NIOHTTP1

extension IncusDriver {
  package func ensureDefined(_ specification: MachineSpecification) async throws {
    guard specification.rescue == nil else { throw Self.noRescue }
    try await DriverError.translating {
      // A move to another member that was undone may still be bringing it there.
      try giveUpReceipt(of: specification.machine)
      if links != nil { try await defineLink(of: specification) }
      let definition = InstanceDefinition(specification, configuration, try await cluster.dialect())
      let instance = try await wholeInstance(of: specification, definition)
      try await removeReplacement(of: specification.machine)
      if !instance.hasDisk { try await makeDisk(for: specification) }
      let settled = [MarkKey.isDefined.rawValue: "true", MarkKey.disk.rawValue: ""]
      try await become(definition, settingAlso: settled, specification.machine)
    }
  }

  /// The one that is there, or one that is made now. What a create left that did not come to its end is made again.
  private func wholeInstance(
    of specification: MachineSpecification, _ definition: InstanceDefinition
  ) async throws -> Instance {
    let present = try await instance(of: specification.machine)
    if let present, present.isDefined { return present }
    if present != nil { try await removeRemnant(of: specification.machine) }
    guard specification.mayCreateDisk else { throw Self.missingDisk(specification.machine) }
    let image = try await image(specification.imageName, version: specification.imageVersion)
    guard links == nil || image.hasNetwork else { throw Self.olderImage(specification) }
    try await create(definition, of: specification.machine, from: image)
    guard let made = try await instance(of: specification.machine) else {
      throw DriverError(.rejected, "the name of the container of \(specification.machine.text) is somebody else's")
    }
    return made
  }

  /// How a create ended is told by what is there, because codes and words of a failure differ.
  private func create(_ definition: InstanceDefinition, of machine: UUID, from image: ClusterImage) async throws {
    let request = IncusClient.Request(
      method: .POST, path: IncusPath("instances").with("target", configuration.member),
      body: try definition.creation(fingerprint: image.fingerprint).bytes, deadline: IncusDeadline.instance)
    do {
      try await client.finish(request, within: IncusDeadline.create)
    } catch IncusError.notFound {
      // The operation ended and was forgotten, or the image has gone: there is an instance, or none.
      guard try await instance(of: machine) != nil else { throw IncusError.refused("no container came of it") }
      try await requireNoCreate(of: machine)
    }
  }

  func requireNoCreate(of machine: UUID) async throws {
    let name = Instance.name(of: machine)
    guard try await !client.operationsUnderWay().contains(where: { $0.concerns(instance: name) }) else {
      throw DriverError(.busy, "the container of \(machine.text) is still being made, or changed")
    }
  }

  /// A create that goes on, of a process that died, is waited for.
  func removeRemnant(of machine: UUID) async throws {
    try await requireNoCreate(of: machine)
    try await remove(machine)
  }

  /// Whatever its state: a container that runs cannot be removed.
  func remove(_ machine: UUID) async throws {
    // First: it would take the place of the one that is gone.
    try await removeReplacement(of: machine)
    guard let instance = try await instance(of: machine) else { return }
    if !instance.isOff { try await cutPower(of: machine) }
    do {
      try await client.finish(
        .init(method: .DELETE, path: path(machine), deadline: IncusDeadline.instance), within: IncusDeadline.remove)
    } catch {
      // Somebody else may have been faster, or nobody knows how it ended.
      guard try await self.instance(of: machine) == nil else { throw error }
    }
  }

  package func ensureAbsent(_ machine: UUID) async throws {
    try await DriverError.translating {
      try await endWork(of: machine)
      // Another host's is whole there, with its copies.
      guard try await anyInstance(of: machine).map(isHere) ?? true else { return }
      try await remove(machine)
      try await releaseLink(of: machine)
      try await removeCopies(of: machine)
    }
  }

  static func missingDisk(_ machine: UUID) -> DriverError {
    DriverError(
      .notFound, "the disk of \(machine.text) is missing", customerReason: "The disk of this server is missing.")
  }

  private static func olderImage(_ specification: MachineSpecification) -> DriverError {
    DriverError(
      .rejected,
      "the image \(specification.imageName)/\(specification.imageVersion) in the Incus does not set up a network card: make it anew "
        + "(docs/clusters.md)",
      customerReason: "The image of the operating system is not available.")
  }

  static let noRescue = DriverError(
    .rejected, "a container has no rescue system", customerReason: "This server has no rescue system.")

  package func requireRescuable(_ machine: UUID, by rescue: RescueSpecification) async throws {
    try await DriverError.translating {
      _ = try await existingInstance(of: machine)
      throw Self.noRescue
    }
  }
}
