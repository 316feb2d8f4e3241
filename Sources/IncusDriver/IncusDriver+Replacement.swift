import Core
import Foundation
import NIOHTTP1

/// A server that cannot give a container another disk, as LXD 5.0, makes one with that disk beside it, which takes its place and its
/// name once it is whole. A process that dies meanwhile leaves one of the two at least: where only the new one is left, whoever
/// asks for the machine ends what was begun.
extension IncusDriver {
  func replace(_ machine: UUID, from source: [String: JSONBody.Value]) async throws {
    try await removeReplacement(of: machine)
    let present = try await existingInstance(of: machine)
    let name = Instance.replacementName(of: machine)
    let member = configuration.member == nil ? nil : present.location
    do {
      let creation = IncusClient.Request(
        method: .POST, path: IncusPath("instances").with("target", member),
        body: try present.replacement(called: name, from: source).bytes, deadline: IncusDeadline.instance)
      try await client.finish(creation, within: timing.copyDeadline)
      let mark = JSONBody(["config": .texts([MarkKey.isDefined.rawValue: "true"])])
      try await client.finish(
        .init(
          method: .PATCH, path: IncusPath("instances", name), body: mark.bytes, deadline: IncusDeadline.instance),
        within: IncusDeadline.instance)
    } catch {
      // The one that is there stays, and nobody waits for this one any more.
      try? await removeReplacement(of: machine)
      throw error
    }
    try await client.finish(
      .init(method: .DELETE, path: path(machine), deadline: IncusDeadline.instance), within: IncusDeadline.remove)
    guard try await putInPlace(of: machine) else {
      throw DriverError(.notFound, "what was to take the place of the container of \(machine.text) is gone")
    }
  }

  /// Where the machine's own is gone, and the one that was to take its place is whole. Returns whether there was such a one.
  func putInPlace(of machine: UUID) async throws -> Bool {
    guard let replacement = try await replacement(of: machine), replacement.isDefined else { return false }
    let name = Instance.name(of: machine)
    do {
      try await client.finish(
        .init(
          method: .POST, path: IncusPath("instances", replacement.name), body: JSONBody(["name": .text(name)]).bytes,
          deadline: IncusDeadline.instance), within: IncusDeadline.remove)
    } catch {
      // Another call may have been faster.
      guard try await instance(named: name) != nil else { throw error }
    }
    return true
  }

  func removeReplacement(of machine: UUID) async throws {
    guard let replacement = try await replacement(of: machine) else { return }
    let path = IncusPath("instances", replacement.name)
    do {
      try await client.finish(
        .init(method: .DELETE, path: path, deadline: IncusDeadline.instance), within: IncusDeadline.remove)
    } catch {
      guard try await instance(named: replacement.name) == nil else { throw error }
    }
  }

  /// Whole or in part; nil where the server has no need of one.
  private func replacement(of machine: UUID) async throws -> Instance? {
    guard try await !cluster.dialect().rebuilds else { return nil }
    let found = try await instance(named: Instance.replacementName(of: machine))
    return found.flatMap { $0.replacedMachine(of: configuration.installation) == machine ? $0 : nil }
  }
}

extension Instance {
  /// The same with another disk. It is none of anybody's until that is whole.
  fileprivate func replacement(called name: String, from source: [String: JSONBody.Value]) -> JSONBody {
    let config = config.filter {
      !$0.value.isEmpty && !$0.key.hasPrefix("volatile.") && !$0.key.hasPrefix("image.")
        && $0.key != MarkKey.isDefined.rawValue
    }
    return JSONBody([
      "name": .text(name), "type": .text("container"), "architecture": .text(architecture ?? ""),
      "description": .text(description ?? ""), "ephemeral": .flag(false),
      "profiles": .list((profiles ?? []).map { .text($0) }), "source": .object(source), "config": .texts(config),
      "devices": .object(devices.mapValues { .texts($0) }),
    ])
  }
}
