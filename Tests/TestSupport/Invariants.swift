import Core
import Engine
import Foundation
import SQLStore
import SimulatedDriver

/// What must hold whatever went wrong. Each violation is a sentence; tests expect none.
extension TestService {
  /// Violations of what must hold at any moment, also during operations.
  package func contradictions() async throws -> [String] {
    try await database.contradictions()
  }

  /// Violations of what must hold when nothing is left to do: rows and machines agree, and nothing waits.
  package func contradictionsAtRest() async throws -> [String] {
    var found = try await contradictions()
    let rows = try await store.allServers()
    for row in rows {
      let unfinished = try await store.operations(of: row.id).filter { $0.finishedAt == nil }
      found += unfinished.map { "\($0.kind) of server \(row.id) is not over, at \($0.step ?? "its first step")" }
    }
    for host in fleet.hosts { found += try await Inspection(of: host, store: store).differences() }
    for item in try await store.inventory() where item.isDeleted {
      found.append("server \(item.id) was deleted, and is still there")
    }
    for row in rows {
      found += try await contradictions(of: row)
    }
    found += try await contradictionsOfCopies(rows)
    let addresses = rows.compactMap(\.address)
    if Set(addresses).count < addresses.count { found.append("an address is given twice: \(addresses.sorted())") }
    return found
  }

  private func contradictions(of row: Server) async throws -> [String] {
    var found: [String] = []
    if drivers.count(where: { $0.machine(row.uuid)?.boot != nil }) > 1 {
      found.append("server \(row.id) runs on two hosts")
    }
    guard let machine = try await driver(of: row.id)?.machine(row.uuid) else { return found }
    if row.status == .active, let plan = Catalogue.initial.plan(row.planID), !machine.has(plan) {
      found.append("server \(row.id) has plan \(plan.id), and its machine \(machine.boot as Any)")
    }
    let firewall = try await store.firewall(of: row.id)?.firewall
    if try await driver(of: row.id)?.enforcesFirewalls == true, machine.firewall != firewall {
      found.append("server \(row.id) has \(firewall as Any), and its machine \(machine.firewall as Any)")
    }
    if row.address == nil { found.append("server \(row.id) has no address, and a machine") }
    if !row.machine.hasDisk, row.machine.wasEverReady { found.append("server \(row.id) has a disk nobody knows of") }
    let image = Catalogue.initial.operatingSystem(row.operatingSystemID)?.imageName
    if row.status == .active, machine.disk?.imageName != image {
      found.append("server \(row.id) has \(image as Any), and its machine \(machine.disk as Any)")
    }
    if let definition = machine.definition, definition.address != row.address?.description {
      found.append("server \(row.id) has \(row.address as Any), and its machine \(definition.address)")
    }
    return found
  }

  /// Every copy on the host must have a row, and the copy of every row must be whole and have its checksum.
  private func contradictionsOfCopies(_ servers: [Server]) async throws -> [String] {
    var found: [String] = []
    var known: Set<UUID> = []
    for server in servers {
      for row in try await store.diskCopies(of: server.id) {
        known.insert(row.uuid)
        let copy = try await driver(of: server.id)?.copy(row.uuid)
        if copy?.machine != server.uuid || copy?.isWhole != true || copy?.checksum != row.checksum {
          found.append("copy \(row.id) is \(row.status), and on the host \(copy as Any)")
        }
      }
    }
    found += drivers.flatMap(\.copies.keys).filter { !known.contains($0) }.map { "copy \($0) has no row" }
    return found
  }

  /// Everything that is left after all servers were deleted, except tombstones and the ledger.
  package func leftovers() async throws -> [String] {
    var found = try await contradictionsAtRest()
    found += try await store.allServers().map { "server \($0.id) is left" }
    for driver in drivers { found += try await driver.observe().powers.keys.map { "machine \($0) is left" } }
    let own = fleet.hosts.map { Self.directory(of: $0.name, in: directory).path + "/simulated" }
    let shared = Set(fleet.hosts.map { "\(directory.path)/hosts/\($0.location ?? "all")/shared" })
    for path in own + shared {
      for name in ["machines", "disks", "copies"] {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: "\(path)/\(name)")) ?? []
        found += files.filter { $0 != "lock" }.map { "the file \($0) is left" }
      }
    }
    return found
  }
}

extension SimulatedMachine {
  /// Whether it runs with the plan's resources; its disk may be larger because of another plan before.
  fileprivate func has(_ plan: Plan) -> Bool {
    boot?.definition.vcpus == plan.vcpus && boot?.definition.memoryMiB == plan.memoryMiB
      && disk?.storageGiB ?? 0 >= plan.storageGiB
  }
}
