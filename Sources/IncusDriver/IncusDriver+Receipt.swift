package import Core
package import Foundation
import NIOHTTP1

/// A server moves from member to member as its container does, which keeps its name. Whose it is, is what its mark says: that is
/// changed last, so that it belongs to the source until all of it is here. Copies are the cluster's, and stay where they are.
extension IncusDriver: MachineReceiver {
  package func canReceive(from source: any ComputeDriver) -> Bool {
    guard let source = source as? IncusDriver else { return false }
    return source.cluster === cluster && source.configuration.member != configuration.member
  }

  package func ensureReceived(_ machine: UUID, from source: any ComputeDriver) async throws -> ReceiptProgress {
    guard canReceive(from: source), let source = source as? IncusDriver, let member = configuration.member else {
      throw DriverError(.rejected, "the container of \(machine.text) is to come from another cluster")
    }
    return try await DriverError.translating {
      let instance = try await existing(machine)
      if instance.home == member { return .done }
      guard instance.home == source.configuration.member else { throw Self.absent(machine) }
      guard instance.isOff else {
        throw DriverError(.rejected, "the container of \(machine.text) runs", customerReason: "The server is running.")
      }
      switch work.standing(of: .receipt, machine, machine) {
      case .underWay: return .underWay
      case .over(let result): try result.get()
      case .none: break
      }
      // What a process that died has begun goes on.
      guard try await !isChanging(machine) else { return .underWay }
      guard instance.location != member else {
        try await take(machine)
        return .done
      }
      work.begin(.receipt, machine, machine) { isWanted in
        try await bring(machine, to: member)
        if isWanted() { try await take(machine) }
      }
      return .underWay
    }
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
      try await endWork(of: machine)
      guard let instance = try await anyInstance(of: machine), instance.isDefined else { return false }
      if isHere(instance) { return true }
      guard try await !isChanging(machine) else {
        throw DriverError(.busy, "the container of \(machine.text) is still being moved")
      }
      // It cannot be called back: what has come whole meanwhile is this host's.
      guard let present = try await anyInstance(of: machine), present.location == configuration.member else {
        return false
      }
      try await take(machine)
      return true
    }
  }

  private func isChanging(_ machine: UUID) async throws -> Bool {
    let name = Instance.name(of: machine)
    return try await client.operationsUnderWay().contains { $0.concerns(instance: name) }
  }

  /// Whichever host it is of.
  private func existing(_ machine: UUID) async throws -> Instance {
    guard let instance = try await anyInstance(of: machine), instance.isDefined else { throw Self.absent(machine) }
    return instance
  }

  private static func absent(_ machine: UUID) -> DriverError {
    DriverError(.notFound, "There is no container of \(machine.text) to be moved.")
  }
}
