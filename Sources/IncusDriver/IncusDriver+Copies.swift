package import Core
package import Foundation
import NIOHTTP1

/// A copy is an image that only we know: its fingerprint is the SHA-256 of its file, and it outlives the disk that it is of.
extension IncusDriver {
  package func ensureCopied(_ machine: UUID, as copy: UUID) async throws -> CopyProgress {
    try await DriverError.translating {
      if let whole = try await self.copy(copy) {
        guard whole[.machine] == machine.text else { throw Self.otherMachine(copy) }
        switch work.standing(of: .copy, machine, copy) {
        // Its snapshot still has to go.
        case .underWay: return .underWay
        case .over: break
        // A process that died may have left it.
        case .none: try await removeSnapshots(of: machine, for: copy)
        }
        return .done(CopiedDisk(sizeBytes: whole.size, checksum: whole.fingerprint))
      }
      guard try await existingInstance(of: machine).hasDisk else { throw Self.missingDisk(machine) }
      switch work.standing(of: .copy, machine, copy) {
      case .underWay: return .underWay
      case .over(let result):
        try result.get()
        return .underWay
      case .none:
        try await requireNothingUnderWay(with: machine)
        work.begin(.copy, machine, copy) { isWanted in try await makeCopy(copy, of: machine, while: isWanted) }
        return .underWay
      }
    }
  }

  /// Of a snapshot, because what runs cannot be published; and without any snapshot before and after it, because a container that
  /// has one cannot be rebuilt.
  private func makeCopy(_ copy: UUID, of machine: UUID, while isWanted: @Sendable () -> Bool) async throws {
    try await removeSnapshots(of: machine)
    let snapshot = Self.snapshotPrefix + copy.text
    let request = IncusClient.Request(
      method: .POST, path: path(machine, "snapshots"),
      body: try JSONBody(["name": .text(snapshot), "stateful": .flag(false)]).bytes, deadline: IncusDeadline.instance)
    try await client.finish(request, within: timing.copyDeadline)
    guard isWanted() else { return try await removeSnapshots(of: machine) }
    do {
      try await client.finish(publication(of: snapshot, copy, machine), within: timing.copyDeadline)
    } catch {
      try? await removeSnapshots(of: machine)
      throw error
    }
    try await removeSnapshots(of: machine)
    if !isWanted() { try await removeImage(of: copy) }
  }

  private func publication(of snapshot: String, _ copy: UUID, _ machine: UUID) throws -> IncusClient.Request {
    try publication(
      of: ["type": .text("snapshot"), "name": .text("\(Instance.name(of: machine))/\(snapshot)")], machine,
      [.copy: copy.text, .transfer: ""])
  }

  /// The call that makes an image of it.
  func publication(
    of source: [String: JSONBody.Value], _ machine: UUID, _ more: [ClusterImage.Property: String]
  ) throws -> IncusClient.Request {
    let properties: [ClusterImage.Property: String] = [
      .installation: configuration.installation.text, .machine: machine.text,
    ].merging(more) { $1 }
    let body = JSONBody([
      "source": .object(source),
      "properties": .texts(Dictionary(uniqueKeysWithValues: properties.map { ($0.rawValue, $1) })),
      "public": .flag(false), "auto_update": .flag(false), "compression_algorithm": .text("zstd"),
    ])
    return IncusClient.Request(
      method: .POST, path: IncusPath("images"), body: try body.bytes, deadline: IncusDeadline.instance)
  }

  package func ensureRestored(
    _ machine: UUID, from copy: UUID, checksum: String
  ) async throws -> RestoreProgress {
    try await DriverError.translating {
      // In the middle of it the container may be none.
      guard !work.isUnderWay(.restore, machine, copy) else { return .underWay }
      guard let instance = try await instance(of: machine), instance.isDefined,
        let image = try await self.copy(copy), image[.machine] == machine.text
      else { throw DriverError(.notFound, "There is no copy \(copy.text) of \(machine.text).") }
      guard image.fingerprint == checksum else {
        throw DriverError(
          .rejected, "copy \(copy.text) is not what was written", customerReason: "The copy of the disk is damaged.")
      }
      guard instance.isOff else { throw Self.running(machine) }
      switch work.standing(of: .restore, machine, copy) {
      case .underWay: return .underWay
      case .over(let result):
        try result.get()
        return .done
      case .none:
        try await requireNothingUnderWay(with: machine)
        work.begin(.restore, machine, copy) { _ in
          try await rebuild(machine, from: ["type": .text("image"), "fingerprint": .text(image.fingerprint)])
          try await mark(machine, .disk, "")
        }
        return .underWay
      }
    }
  }

  /// What is rebuilt cannot be called back: it is waited for.
  package func endRestore(of machine: UUID, from copy: UUID) async throws -> Bool {
    try await DriverError.translating {
      guard try await instance(of: machine) != nil else { return false }
      let deadline = clock.uptime + IncusDeadline.remove
      while true {
        switch work.standing(of: .restore, machine, copy) {
        case .over(.success): return true
        case .over(.failure), .none:
          try await endWork(of: machine)
          try await requireNothingUnderWay(with: machine)
          return false
        case .underWay where clock.uptime < deadline: try await clock.sleep(for: .milliseconds(100))
        case .underWay: throw DriverError(.busy, "the disk of \(machine.text) is still being put back")
        }
      }
    }
  }

  package func ensureCopyAbsent(_ copy: UUID, of machine: UUID) async throws {
    try await DriverError.translating {
      guard try await self.copy(copy).map({ $0[.machine] == machine.text }) ?? true else {
        throw Self.otherMachine(copy)
      }
      try await endWork(of: machine, copy)
      try await removeImage(of: copy)
    }
  }

  package func ensureDiskAbsent(_ machine: UUID) async throws {
    try await DriverError.translating {
      guard let instance = try await instance(of: machine), instance.isDefined else { return }
      guard instance.isOff else { throw Self.running(machine) }
      try await endWork(of: machine)
      guard instance.hasDisk else { return }
      try await requireNothingUnderWay(with: machine)
      try await rebuild(machine, from: ["type": .text("none")])
    }
  }

  func makeDisk(for specification: MachineSpecification) async throws {
    guard specification.mayCreateDisk else { throw Self.missingDisk(specification.machine) }
    let image = try await image(specification.imageName, version: specification.imageVersion)
    let source: [String: JSONBody.Value] = ["type": .text("image"), "fingerprint": .text(image.fingerprint)]
    try await requireNothingUnderWay(with: specification.machine)
    try await rebuild(specification.machine, from: source)
  }

  /// It has no disk until that is whole.
  private func rebuild(_ machine: UUID, from source: [String: JSONBody.Value]) async throws {
    try await removeSnapshots(of: machine)
    try await mark(machine, .disk, "absent")
    guard try await cluster.dialect().rebuilds else { return try await replace(machine, from: source) }
    let request = IncusClient.Request(
      method: .POST, path: path(machine, "rebuild"), body: try JSONBody(["source": .object(source)]).bytes,
      deadline: IncusDeadline.instance)
    try await client.finish(request, within: timing.copyDeadline)
  }

  // MARK: - What there is

  func copies() async throws -> [ClusterImage] {
    try await images().filter { $0[.installation] == configuration.installation.text && $0[.copy] != nil }
  }

  func copies(of machine: UUID) async throws -> [ClusterImage] {
    try await copies().filter { $0[.machine] == machine.text }
  }

  private func copy(_ copy: UUID) async throws -> ClusterImage? {
    try await copies().first { $0[.copy] == copy.text }
  }

  func hasCopies(_ machine: UUID) async throws -> Bool {
    try await copies().contains { $0[.machine] == machine.text }
  }

  func machinesWithCopies() async throws -> Set<UUID> {
    Set(try await copies().compactMap { $0[.machine].flatMap(UUID.init(uuidString:)) })
  }

  /// Whatever images there are of it.
  func removeCopies(of machine: UUID) async throws {
    for image in try await images()
    where image[.installation] == configuration.installation.text && image.isOfMachine
      && image[.machine] == machine.text
    {
      try await remove(image)
    }
  }

  /// There may be two, where a process died while the first one was made.
  private func removeImage(of copy: UUID) async throws {
    for image in try await copies() where image[.copy] == copy.text { try await remove(image) }
  }

  func remove(_ image: ClusterImage) async throws {
    do {
      try await client.finish(
        .init(method: .DELETE, path: IncusPath("images", image.fingerprint), deadline: IncusDeadline.instance),
        within: IncusDeadline.remove)
    } catch IncusError.notFound {}
  }

  // MARK: - Snapshots that copies are made of

  private static let snapshotPrefix = "copy-"

  private struct Snapshot: Decodable { let name: String }

  /// Ours only: an operator's is none of our business, and in the way of a restore.
  private func snapshots(of machine: UUID) async throws -> [String] {
    let all = try await client.get(
      path(machine, "snapshots").with("recursion", "1"), as: [Snapshot].self, within: IncusDeadline.instance)
    return all.compactMap { $0.name.split(separator: "/").last.map(String.init) }
      .filter { $0.hasPrefix(Self.snapshotPrefix) }
  }

  /// - Parameter copy: Nil for those of any.
  func removeSnapshots(of machine: UUID, for copy: UUID? = nil) async throws {
    let present: [String]
    do {
      present = try await snapshots(of: machine)
    } catch IncusError.notFound {
      return
    }
    for name in present where copy.map({ name == Self.snapshotPrefix + $0.text }) ?? true {
      do {
        try await client.finish(
          .init(
            method: .DELETE, path: IncusPath("instances", Instance.name(of: machine), "snapshots", name),
            deadline: IncusDeadline.instance), within: IncusDeadline.remove)
      } catch IncusError.notFound {}
    }
  }

  // MARK: - What goes on

  /// Work of a process that died goes on at the server. That which publishes says nothing of what it is about: where there is a
  /// snapshot of ours, it may be this one's.
  func requireNothingUnderWay(with machine: UUID) async throws {
    let names = [Instance.name(of: machine), Instance.replacementName(of: machine)]
    let underWay = try await client.operationsUnderWay()
    guard !underWay.isEmpty else { return }
    let hasSnapshot = try await !snapshots(of: machine).isEmpty
    guard
      !underWay.contains(where: { operation in
        names.contains(where: operation.concerns(instance:)) || (hasSnapshot && operation.concernsNothing)
      })
    else {
      throw DriverError(.busy, "something else is going on with the container of \(machine.text)")
    }
  }

  /// What is published or rebuilt cannot be called back: it is waited for.
  func endWork(of machine: UUID, _ copy: UUID? = nil) async throws {
    let deadline = clock.uptime + IncusDeadline.remove
    while !work.abandon(machine, copy) {
      guard clock.uptime < deadline else {
        throw DriverError(.busy, "a copy of the disk of \(machine.text) is still being made, or put back")
      }
      try await clock.sleep(for: .milliseconds(100))
    }
  }

  static func running(_ machine: UUID) -> DriverError {
    DriverError(.rejected, "the container of \(machine.text) runs", customerReason: "The server is running.")
  }

  private static func otherMachine(_ copy: UUID) -> DriverError {
    DriverError(.rejected, "copy \(copy.text) is of another machine")
  }
}
