import Core
package import Foundation
import Logging
import NIOHTTP1

/// What a service does beside asking for machines, and what commands ask.
extension IncusDriver {
  /// Until cancellation keeps the links of containers, and looks now and then at what could keep servers from being made: which images
  /// there are, and whether the server is as the configuration says. What is wrong is logged once.
  package func run() async {
    await withDiscardingTaskGroup { group in
      group.addTask { await keepNetwork() }
      group.addTask { await lookAtServer() }
    }
  }

  private func lookAtServer() async {
    var known: [String] = []
    while !Task.isCancelled {
      try? await markUnmarked()
      try? await removeStrayTransfers()
      try? await lookAtImages()
      if let faults = try? await faults(), faults != known {
        for fault in faults where !known.contains(fault) {
          logger.error("the Incus of this host cannot be used as it is", metadata: ["fault": "\(fault)"])
        }
        known = faults
      }
      try? await clock.sleep(for: Self.imageInterval)
    }
  }

  /// An earlier release did not write whose a container is: once it is moved, nobody could tell.
  private func markUnmarked() async throws {
    guard let member = configuration.member else { return }
    for listed in try await cluster.instances().value where listed[.member] == nil && isHere(listed) {
      guard let machine = listed.machine(of: configuration.installation) else { continue }
      let (present, tag) = try await client.getTagged(path(machine), as: Instance.self, within: IncusDeadline.instance)
      guard present[.member] == nil, isHere(present), let tag else { continue }
      let mark = JSONBody(["config": .texts([MarkKey.member.rawValue: member])])
      // A move that is under way marks it, too, and knows better.
      try await client.finish(
        .init(method: .PATCH, path: path(machine), body: mark.bytes, ifMatch: tag, deadline: IncusDeadline.instance),
        within: IncusDeadline.instance)
    }
  }

  /// What an operator has to mend. Throws where nobody answers.
  package func faults() async throws -> [String] {
    try await DriverError.translating {
      // As the certificate of the configuration is seen, and not that of a term.
      let server = try await cluster.client.get(IncusPath(), as: ServerFacts.self, within: IncusDeadline.server)
      guard server.auth == "trusted" else {
        return ["it does not trust the certificate in client_certificate (incus config trust add-certificate)"]
      }
      cluster.note(server)
      let missing = ServerFacts.needed.filter { !server.extensions.contains($0) }
      guard missing.isEmpty else {
        return [
          "it is too old: it lacks \(missing.joined(separator: ", ")); Incus 6.0 and LXD 5.0 have all that is needed"
        ]
      }
      let trustFault = try await cluster.certificates?.fault(of: server)
      return try await [trustFault].compactMap { $0 } + projectFaults() + poolFaults() + memberFaults(server)
    }
  }

  private func projectFaults() async throws -> [String] {
    do {
      _ = try await client.get(
        IncusPath("projects", client.project), as: Named.self, within: IncusDeadline.instance)
      return []
    } catch IncusError.notFound {
      return ["there is no project \(client.project)"]
    } catch IncusError.forbidden {
      return ["the certificate may not use the project \(client.project)"]
    }
  }

  private func poolFaults() async throws -> [String] {
    do {
      let pool = try await client.get(
        IncusPath("storage-pools", configuration.storagePool), as: StoragePool.self, within: IncusDeadline.instance)
      let unbounded =
        pool.driver == "dir"
        ? ["the storage pool \(configuration.storagePool) is of the driver dir, which holds no disk to its size"] : []
      return unbounded + [try await storageFault()].compactMap { $0 }
    } catch IncusError.notFound {
      return ["there is no storage pool \(configuration.storagePool)"]
    }
  }

  private func memberFaults(_ server: ServerFacts) async throws -> [String] {
    guard let member = configuration.member else {
      return server.isClustered ? ["it is a cluster: say which of its members are hosts (members)"] : []
    }
    guard server.isClustered else { return ["it is no cluster, and has no member \(member)"] }
    if links != nil, let name = server.environment?.serverName, name != member {
      return [
        "its socket is that of the member \(name), and with network: routed it has to be that of \(member) itself"
      ]
    }
    do {
      _ = try await client.get(IncusPath("cluster", "members", member), as: Member.self, within: IncusDeadline.instance)
      return []
    } catch IncusError.notFound {
      return ["its cluster has no member \(member)"]
    }
  }

  /// Whole and in part, by machine.
  package func copiesOnHost() async throws -> [UUID: Set<UUID>] {
    try await DriverError.translating {
      try await copies().reduce(into: [:]) { copies, image in
        guard let machine = image[.machine].flatMap(UUID.init(uuidString:)),
          let copy = image[.copy].flatMap(UUID.init(uuidString:))
        else { return }
        copies[machine, default: []].insert(copy)
      }
    }
  }

  /// For an operator who has shut all servers down: none of them was its guest's wish.
  package func forgetShutdowns() async throws {
    try await DriverError.translating {
      let answer = try await cluster.instances()
      guard !answer.isOld else { throw DriverError(.unreachable, "Incus does not tell in time how its instances are") }
      for instance in answer.value
      where isHere(instance) && instance.isOff && instance[.power] == "on" {
        guard let machine = instance.machine(of: configuration.installation) else { continue }
        try await mark(machine, .power, "cut")
      }
    }
  }
}

private struct Named: Decodable { let name: String }
struct StoragePool: Decodable { let driver: String }
private struct Member: Decodable {
  let name: String

  private enum CodingKeys: String, CodingKey { case name = "server_name" }
}
