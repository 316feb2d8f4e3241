package import Core
package import Foundation
import NIOHTTP1

/// A server moves from member to member of one cluster as its container does, which keeps its name. Whose it is, is what its mark says:
/// that is changed last, so that it belongs to the source until all of it is here. Copies are the cluster's, and stay where they are. From
/// another Incus it comes as an image.
extension IncusDriver: MachineReceiver {
  package func canReceive(from source: any ComputeDriver) -> Bool {
    guard let source = source as? IncusDriver, source.configuration.installation == configuration.installation else {
      return false
    }
    if source.cluster === cluster { return source.configuration.member != configuration.member }
    // Another service may have the other one.
    guard !cluster.isShared, !source.cluster.isShared else { return false }
    // A card is a link of this machine, on which there is one Incus.
    guard links == nil, source.links == nil else { return false }
    guard let own = cluster.knownIdentity, let other = source.cluster.knownIdentity else { return true }
    return own.isApart(from: other)
  }

  package func ensureReceived(_ machine: UUID, from source: any ComputeDriver) async throws -> ReceiptProgress {
    guard canReceive(from: source), let source = source as? IncusDriver else {
      throw DriverError(.rejected, "the container of \(machine.text) is to come from a host of another kind")
    }
    return try await DriverError.translating {
      guard source.cluster === cluster, let member = configuration.member else {
        return try await ensureArrived(machine, from: source)
      }
      return try await ensureBrought(machine, to: member, from: source)
    }
  }

  private func ensureBrought(
    _ machine: UUID, to member: String, from source: IncusDriver
  ) async throws -> ReceiptProgress {
    let instance = try await existing(machine)
    if instance.home == member { return .done }
    guard instance.home == source.configuration.member else { throw Self.absent(machine) }
    guard instance.isOff else { throw Self.running(machine) }
    switch work.standing(of: .receipt, machine, machine) {
    case .underWay: return .underWay
    case .over(let result):
      try result.get()
      // Where it is now is looked at anew.
      return .underWay
    case .none: break
    }
    // What a process that died has begun goes on.
    guard try await !isChanging(machine) else { return .underWay }
    guard instance.location != member else {
      try await take(machine)
      return .done
    }
    // It is taken by a later call only: whoever gives the move up meanwhile makes none.
    work.begin(.receipt, machine, machine) { _ in try await bring(machine, to: member) }
    return .underWay
  }

  private func bring(_ machine: UUID, to member: String) async throws {
    // Nobody rebuilds what has snapshots, and they take time.
    try await removeSnapshots(of: machine)
    let body = JSONBody(["name": .text(Instance.name(of: machine)), "migration": .flag(true)])
    try await client.finish(
      .init(
        method: .POST, path: path(machine).with("target", member), body: body.bytes, deadline: IncusDeadline.instance),
      within: timing.copyDeadline)
  }

  private func take(_ machine: UUID) async throws {
    try await mark(machine, .member, configuration.member ?? "")
  }

  package func endReceipt(of machine: UUID, from source: any ComputeDriver) async throws -> Bool {
    try await DriverError.translating {
      if let source = source as? IncusDriver, source.cluster !== cluster {
        return try await endArrival(of: machine, from: source)
      }
      try await endWork(of: machine, machine)
      try await requireNoReceipt(of: machine)
      guard let instance = try await anyInstance(of: machine), instance.isDefined else { return false }
      if isHere(instance) { return true }
      // It cannot be called back: what has come whole meanwhile is this host's.
      guard instance.location == configuration.member else { return false }
      try await take(machine)
      return true
    }
  }

  /// In a cluster there is one container, and the copies are the cluster's: so nothing is removed, whatever is found.
  package func ensureLeft(_ machine: UUID, to home: any ComputeDriver) async throws {
    guard let home = home as? IncusDriver else {
      throw DriverError(.rejected, "the container of \(machine.text) is to be left to a host of another kind")
    }
    try await DriverError.translating {
      guard home.cluster === cluster else { return try await ensureAbsent(machine, because: home) }
      guard let member = home.configuration.member else { throw Self.absent(machine) }
      try await requireNoReceipt(of: machine)
      if let instance = try await anyInstance(of: machine), isHere(instance) {
        try await mark(machine, .member, member)
      }
      try await releaseLink(of: machine)
    }
  }

  /// Nobody takes it any more, and nothing of it goes on; throws `busy` until that is so.
  private func requireNoReceipt(of machine: UUID) async throws {
    try giveUpReceipt(of: machine)
    guard try await !isChanging(machine) else { throw Self.isMoving(machine) }
  }

  func giveUpReceipt(of machine: UUID) throws {
    guard work.abandon(machine, machine) else { throw Self.isMoving(machine) }
  }

  static func isMoving(_ machine: UUID) -> DriverError {
    DriverError(.busy, "the container of \(machine.text) is still being moved")
  }

  func isChanging(_ machine: UUID) async throws -> Bool {
    let name = Instance.name(of: machine)
    return try await client.operationsUnderWay().contains { $0.concerns(instance: name) }
  }

  /// Whichever host it is of.
  private func existing(_ machine: UUID) async throws -> Instance {
    guard let instance = try await anyInstance(of: machine), instance.isDefined else { throw Self.absent(machine) }
    return instance
  }

  static func absent(_ machine: UUID) -> DriverError {
    DriverError(.notFound, "There is no container of \(machine.text) to be moved.")
  }
}
