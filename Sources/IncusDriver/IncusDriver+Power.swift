package import Core
package import Foundation
import NIOHTTP1

extension IncusDriver {
  package func start(_ machine: UUID) async throws {
    try await DriverError.translating {
      let instance = try await existingInstance(of: machine)
      guard instance.hasDisk else { throw Self.missingDisk(machine) }
      // Of a move that was given up, Incus removes what it has brought over: what a guest wrote meanwhile would be lost.
      try giveUpReceipt(of: machine)
      if instance.power == .paused { try await setState(machine, "unfreeze", within: IncusDeadline.instance) }
      try await attachLink(of: machine, isOff: instance.isOff)
      if instance.isOff {
        do {
          try await setState(machine, "start", within: IncusDeadline.start)
        } catch {
          // Another call may have been faster.
          guard try await existingInstance(of: machine).power.isOn else { throw error }
        }
        try await attachMadeLink(of: machine)
      }
      // After the start: a process that dies before this has one started again, instead of one that is taken for shut down.
      if instance[.power] != "on" { try await mark(machine, .power, "on") }
      if instance.isOff { try await requireLink(of: machine) }
    }
  }

  package func resume(_ machine: UUID) async throws {
    try await DriverError.translating {
      guard try await existingInstance(of: machine).power == .paused else { return }
      try await setState(machine, "unfreeze", within: IncusDeadline.instance)
    }
  }

  /// The server waits for the guest, and nobody for the server.
  package func requestShutdown(_ machine: UUID) async throws {
    try await DriverError.translating {
      guard try await existingInstance(of: machine).power.isOn else { return }
      _ = try await client.send(
        stateRequest(
          machine, ["action": .text("stop"), "timeout": .number(Int(timing.shutdownDeadline.components.seconds))]))
    }
  }

  package func powerOff(_ machine: UUID) async throws {
    try await DriverError.translating {
      guard try await existingInstance(of: machine).power.isOn else { return }
      try await cutPower(of: machine)
    }
  }

  /// Before and not after, so that nobody takes it for the guest's doing in between; a shutdown that is under way lets nothing be
  /// written.
  func cutPower(of machine: UUID) async throws {
    let isMarked = (try? await mark(machine, .power, "cut")) != nil
    do {
      try await setState(machine, "stop", ["force": .flag(true)], within: IncusDeadline.stop)
    } catch {
      guard let instance = try await instance(of: machine) else { return }
      guard instance.isOff else { throw error }
    }
    if !isMarked { try await mark(machine, .power, "cut") }
  }

  private func setState(
    _ machine: UUID, _ action: String, _ more: [String: JSONBody.Value] = [:], within limit: Duration
  ) async throws {
    let seconds = JSONBody.Value.number(Int(limit.components.seconds))
    let fields = ["action": .text(action), "timeout": seconds].merging(more) { $1 }
    try await client.finish(stateRequest(machine, fields), within: limit)
  }

  private func stateRequest(
    _ machine: UUID, _ fields: [String: JSONBody.Value]
  ) throws -> IncusClient.Request {
    IncusClient.Request(
      method: .PUT, path: path(machine, "state"), body: try JSONBody(fields).bytes, deadline: IncusDeadline.instance)
  }

  package func applyLimits(_ limits: ResourceLimits, to machine: UUID) async throws {
    try await DriverError.translating {
      let instance = try await existingInstance(of: machine)
      let allowance = InstanceDefinition.allowance(limits)
      guard instance.power.isOn, instance.config["limits.cpu.allowance"] != allowance else { return }
      try await write(JSONBody(["config": .texts(["limits.cpu.allowance": allowance])]), to: machine)
    }
  }
}
