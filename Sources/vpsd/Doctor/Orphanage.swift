import Core
import Engine
import Foundation
import LibvirtDriver
import SQLStore

/// Finds and removes orphans.
struct Orphanage: Sendable {
  let store: SQLStore
  let members: [HostedFleet.Member]
  let isServed: Bool

  /// Links and namespaces are left out while the service runs, because it removes them itself within seconds.
  func look(at member: HostedFleet.Member) async throws -> [Orphan] {
    let found = try await machines(of: member) + copies(of: member)
    guard let driver = member.driver as? LibvirtDriver, !isServed else { return found }
    return try await found + driver.strayTaps().map { .tap($0) }
      + (driver.abandonedNamespace().map { [.namespace($0)] } ?? [])
  }

  /// The same with drivers that may change something.
  func withHands(_ configuration: Configuration) async throws -> Orphanage {
    let installation = try await store.installationID()
    let logger = configuration.makeCommandLogger()
    let clusters = IncusClusters()
    let network = try configuration.networkReconciler(installation, logger)
    let armed = try members.map { member in
      HostedFleet.Member(
        host: member.host, driverName: member.driverName, location: member.location,
        driver: try configuration.makeDriver(
          of: HostDeclaration(name: member.host.name, location: nil, driver: member.driverName),
          installation: installation, clusters: clusters, network: network, clock: SystemClock(), logger: logger))
    }
    return Orphanage(store: store, members: armed, isServed: isServed)
  }

  /// Stops a libvirtd that was only started for this.
  func rest() async {
    guard !isServed else { return }
    for case let driver as LibvirtDriver in members.map(\.driver) {
      if let machines = try? await driver.observe().powers, machines.isEmpty { try? await driver.stop() }
    }
  }

  /// Removes the orphan if it still is one: a server's row is written before its machine is made, so a new look at the rows
  /// decides.
  func remove(_ orphan: Orphan) async throws {
    switch orphan {
    case .machine(let machine, let host):
      guard try await store.hosts(ofMachines: [machine])[machine] == nil else { return }
      try await driver(of: host)?.ensureAbsent(machine)
    case .copy(let copy, let machine, let host):
      guard let member = members.first(where: { $0.host.name == host }),
        try await copies(of: member).contains(orphan)
      else { return }
      try await member.driver.ensureCopyAbsent(copy, of: machine)
    case .tap(let name):
      for case let driver as LibvirtDriver in members.map(\.driver) { try await driver.removeStrayTap(name) }
    case .namespace:
      for case let driver as LibvirtDriver in members.map(\.driver) { try await driver.removeAbandonedNamespace() }
    }
  }

  private func driver(of host: String) -> (any HostedDriver)? { members.first { $0.host.name == host }?.driver }

  private func machines(of member: HostedFleet.Member) async throws -> [Orphan] {
    let machines = try await member.driver.machinesOnHost()
    let homes = try await store.hosts(ofMachines: Array(machines))
    return machines.filter { homes[$0] == nil }.sorted { $0.uuidString < $1.uuidString }
      .map { .machine($0, host: member.host.name) }
  }

  /// Without copies of machines that have no server: these are removed with their machine.
  private func copies(of member: HostedFleet.Member) async throws -> [Orphan] {
    let strays = try await Check.copies(store, member).strays
    let homes = try await store.hosts(ofMachines: strays.map(\.machine))
    return strays.filter { homes[$0.machine] != nil }.sorted { $0.copy.uuidString < $1.copy.uuidString }
      .map { .copy($0.copy, ofMachine: $0.machine, host: member.host.name) }
  }
}
