import Core
import Foundation
import SimulatedDriver
import TestSupport

@testable import Engine

extension TestService {
  /// The same without a host anywhere else.
  static func withTwoHosts(servers count: Int = 1) async throws -> (TestService, [ID<Server>]) {
    try await withSharedStorage(servers: count, hosts: Array(threeHosts.prefix(2)))
  }

  /// Servers on the first host, and none on the second, which reaches the same disks.
  static func withSharedStorage(
    servers count: Int = 1, hosts: [HostDeclaration] = threeHosts
  ) async throws -> (TestService, [ID<Server>]) {
    let service = try await TestService(hosts: hosts, sharesStorage: true)
    _ = try await service.store.setDraining(true, host: "us-west/2", at: service.clock.now)
    var ids: [ID<Server>] = []
    for _ in 0..<count { ids.append(try await service.activeServer()) }
    _ = try await service.store.setDraining(false, host: "us-west/2", at: service.clock.now)
    return (service, ids)
  }

  private func sign(ofHost number: Int) -> URL {
    Self.directory(of: fleet.hosts[number].name, in: directory).appendingPathComponent("away")
  }

  /// The host of this number does not answer any more, also to a process that comes later; its machines run on until it is off.
  func lose(host number: Int = 0) async throws {
    try Data().write(to: sign(ofHost: number))
    await monitor.monitors[number].pollOnce()
    clock.advance(by: Core.Host.longestSilence)
    await monitor.monitors[number].noteSilence()
    await keepFences()
  }

  func bringBack(host number: Int = 0) async throws {
    try FileManager.default.removeItem(at: sign(ofHost: number))
    await monitor.pollOnce()
    await keepFences()
  }

  func keepFences() async {
    for keeper in fenceKeepers { await keeper.pollOnce() }
  }

  /// Waits as long as a host may be away, and does what is due then.
  func waitForFence() async {
    clock.advance(by: .seconds(60))
    await keepFences()
  }

  /// Carries out everything, with looks at the machines before and after.
  func settleEverywhere() async throws {
    for _ in 1...2 {
      await monitor.pollOnce()
      try await settle()
    }
  }

  /// The names of the hosts that the servers are on.
  func places(_ ids: [ID<Server>]) async throws -> [String] {
    var names: [String] = []
    for id in ids {
      let server = try await store.server(id)
      names.append(fleet.hosts.first { $0.id == server?.hostID }?.name ?? "none")
    }
    return names
  }

  /// At how many hosts the machine is on.
  func openings(of machine: UUID) -> Int { drivers.count { $0.isOn(machine) } }
}
