package import Core
package import Foundation
import HostPrograms
package import Logging
import NIOHTTP1

/// Containers of one member of an Incus cluster, or of a server alone, by its REST API.
///
/// Truth lives in the cluster, and what only we know of a container in its configuration there: nothing is kept here. Nothing is
/// touched that does not bear this installation's mark. A name is used once in a cluster, so that a call that names a machine finds it
/// on whichever member it is.
package struct IncusDriver: ComputeDriver {
  package let timing = MachineTiming(
    bootDeadline: .seconds(60), shutdownDeadline: .seconds(30), pollInterval: .milliseconds(100), bootsAtOnce: nil,
    longestSilence: .seconds(20))

  let configuration: Configuration
  package let cluster: IncusCluster
  let clock: any WallClock
  let logger: Logger
  /// For the host's part of the network.
  let threads = BlockingThreads(name: "networks", width: 4)
  var client: IncusClient { cluster.acting }
  var work: CopyWork { cluster.work }
  var imports: ImageImports { cluster.imports }

  /// - Parameter cluster: The same one for all hosts that are its members.
  package init(configuration: Configuration, cluster: IncusCluster, clock: any WallClock, logger: Logger) {
    self.configuration = configuration
    self.cluster = cluster
    self.clock = clock
    self.logger = logger
  }

  /// Of every machine: nothing of the member's can be in the way at an address that is the machine's alone.
  package var sshPort: Int { 22 }
  package func sshPort(of machine: UUID) -> Int { sshPort }
  package func lostPorts(of machine: UUID) -> [Int] { [] }

  package func capacity() async throws -> HostCapacity? {
    try await DriverError.translating {
      let resources = try await client.get(
        IncusPath("resources").with("target", configuration.member), as: MemberResources.self,
        within: IncusDeadline.instance, mostBytes: 8 << 20)
      let pool = try await client.get(
        IncusPath("storage-pools", configuration.storagePool, "resources").with("target", configuration.member),
        as: PoolResources.self, within: IncusDeadline.instance)
      return HostCapacity(resources, pool, configuration.overcommitment)
    }
  }

  package func isAddressFree(_ address: ServerAddress, for machine: UUID) async throws -> Bool {
    try await DriverError.translating {
      guard case .ipv4(let address4) = address else {
        // Nobody is reached at one of IPv6 at the loopback.
        guard links != nil else { return true }
        return try await !isOwn(address)
      }
      // What uses it on this machine is asked too: what was there some seconds ago is enough.
      let holders = try await cluster.instances(patience: .seconds(2)).value.filter { $0.addresses.contains(address4) }
      guard holders.isEmpty else {
        let names = [Instance.name(of: machine), Instance.replacementName(of: machine)]
        return holders.allSatisfy { names.contains($0.name) }
      }
      switch configuration.network {
      case .loopback(let ports):
        try await requireFree(ports)
        return try await Listening.canBind(address4, ports: ports)
      case .routed: return try await !isOwn(address)
      }
    }
  }

  /// A port that is taken on every address is no reason to try another one.
  private func requireFree(_ ports: [Int]) async throws {
    for port in ports where try await !Listening.canBind(Listening.probe, ports: [port]) {
      throw DriverError(
        .exhausted, "another program listens at port \(port) of every address of this machine, which containers need",
        customerReason: "No free address was found.")
    }
  }
}

// MARK: - What is there

extension IncusDriver {
  /// The machine's own; nil where there is none here, because it is another host's, or where its name is that of somebody else's.
  func instance(of machine: UUID) async throws -> Instance? {
    try await anyInstance(of: machine).flatMap { isHere($0) ? $0 : nil }
  }

  /// The same, whichever host of the cluster it is of.
  func anyInstance(of machine: UUID) async throws -> Instance? {
    var found = try await instance(named: Instance.name(of: machine))
    if found == nil, try await !cluster.dialect().rebuilds {
      // Whoever makes it anew may be faster than we see: then it is there again.
      _ = try await putInPlace(of: machine)
      found = try await instance(named: Instance.name(of: machine))
    }
    return found.flatMap { $0.machine(of: configuration.installation) == machine ? $0 : nil }
  }

  /// Whosever it is.
  func instance(named name: String) async throws -> Instance? {
    do {
      return try await client.get(IncusPath("instances", name), as: Instance.self, within: IncusDeadline.instance)
    } catch IncusError.notFound {
      return nil
    }
  }

  /// Throws `notFound` where there is none, or no more than remnants of one.
  func existingInstance(of machine: UUID) async throws -> Instance {
    guard let instance = try await instance(of: machine), instance.isDefined else {
      throw DriverError(.notFound, "There is no container of \(machine.text).")
    }
    return instance
  }

  func path(_ machine: UUID, _ more: String? = nil) -> IncusPath {
    let name = Instance.name(of: machine)
    return more.map { IncusPath("instances", name, $0) } ?? IncusPath("instances", name)
  }

  /// Makes it what it is to be; what somebody else changes meanwhile stays.
  func become(_ definition: InstanceDefinition, settingAlso more: [String: String], _ machine: UUID) async throws {
    let (present, tag) = try await client.getTagged(path(machine), as: Instance.self, within: IncusDeadline.instance)
    switch definition.change(of: present, settingAlso: more) {
    case nil: break
    case .merged(let change): try await write(change, to: machine)
    case .whole(let whole):
      try await client.finish(
        .init(
          method: .PUT, path: path(machine), body: whole.bytes, ifMatch: tag, deadline: IncusDeadline.instance),
        within: IncusDeadline.instance)
    }
  }

  /// Merges these into what the instance has. An empty text takes a key away.
  func write(_ change: JSONBody, to machine: UUID) async throws {
    try await client.finish(
      .init(method: .PATCH, path: path(machine), body: change.bytes, deadline: IncusDeadline.instance),
      within: IncusDeadline.instance)
  }

  func mark(_ machine: UUID, _ key: MarkKey, _ value: String) async throws {
    try await write(JSONBody(["config": .texts([key.rawValue: value])]), to: machine)
  }
}

// MARK: - What it carries

private struct MemberResources: Decodable {
  struct Total: Decodable { let total: Int64 }
  let cpu: Total
  let memory: Total
}

private struct PoolResources: Decodable {
  struct Space: Decodable { let total: Int64? }
  let space: Space
}

extension HostCapacity {
  /// An eighth of the memory is the member's own, a gibibyte at least where it has two.
  fileprivate init(
    _ member: MemberResources, _ pool: PoolResources, _ overcommitment: IncusDriver.Configuration.Overcommitment
  ) {
    let memoryMiB = Int(member.memory.total >> 20)
    let reserveMiB = min(memoryMiB / 2, max(1024, memoryMiB / 8))
    self.init(
      vcpus: Int(Double(member.cpu.total) * overcommitment.vcpus),
      memoryMiB: Int(Double(memoryMiB - reserveMiB) * overcommitment.memory),
      storageGiB: Int(Double((pool.space.total ?? 0) >> 30) * overcommitment.storage))
  }
}
