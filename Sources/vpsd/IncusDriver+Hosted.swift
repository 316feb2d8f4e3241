import Core
import Engine
import Foundation
import HostNetwork
import IncusDriver
import LibvirtDriver
import Logging
import Synchronization

extension IncusDriver: HostedDriver {
  /// Does nothing: containers start in a second.
  func want(templatesOf shapes: [MachineShape]) {}
  /// What goes on at the server goes on without us, and is found there again.
  func endWork() async throws {}
  func endHost() async throws { try await forgetShutdowns() }
  /// They are images of the whole cluster.
  var sharesCopies: Bool { true }
  /// Those of containers are the server's, which knows each of them.
  func processes() async throws -> [UUID: pid_t] { [:] }
  func machinesOnHost() async throws -> Set<UUID> { Set(try await observe().powers.keys) }
}

/// The clusters of locations, each of which all of its hosts share.
final class IncusClusters: Sendable {
  private let byLocation = Mutex<[String: IncusCluster]>([:])

  func cluster(of code: String, _ make: () throws -> IncusCluster) rethrows -> IncusCluster {
    try byLocation.withLock { clusters in
      if let cluster = clusters[code] { return cluster }
      let cluster = try make()
      clusters[code] = cluster
      return cluster
    }
  }
}

extension HostedFleet {
  /// Throws where a location's disks are certainly not where all of its hosts reach them, as the configuration says. One that does not
  /// answer is asked again later: nothing of its hosts is started elsewhere before.
  func requireSharedStorage() async throws {
    for member in members {
      guard let driver = member.driver as? IncusDriver, let fault = try? await driver.storageFault() else { continue }
      throw Refusal.refused("The host \(member.host.name): \(fault).")
    }
  }
}

extension Configuration {
  /// Nil for a host of another driver.
  func containers(
    of host: HostDeclaration, _ installation: UUID, _ clusters: IncusClusters, _ network: NetworkReconciler?,
    _ clock: any WallClock, _ logger: Logger
  ) throws -> IncusDriver? {
    guard host.driver == LocationDriver.incus.rawValue else { return nil }
    let code = String(host.name.prefix { $0 != "/" })
    guard let settings = locations[code] else {
      throw Refusal.refused("The host \(host.name) is of a location that is not in the configuration any more.")
    }
    let cluster = try clusters.cluster(of: code) {
      IncusCluster(
        endpoints: try settings.incus.endpoints(), project: settings.incus.project, installation: installation,
        sharedAs: sharesHosts ? code : nil, clock: clock)
    }
    var incus = IncusDriver.Configuration(installation: installation)
    incus.storagePool = settings.incus.storagePool
    incus.sharesStorage = settings.sharesStorage == true
    incus.member = settings.incus.member(ofHost: host.name)
    incus.network = .loopback(ports: forwardedPorts)
    incus.images = images
    incus.overcommitment.vcpus = overcommit.vcpus
    incus.overcommitment.memory = overcommit.memory
    incus.overcommitment.storage = overcommit.storage
    var logger = logger
    logger[metadataKey: "host"] = "\(host.name)"
    if settings.hasRoutedContainers, let network {
      incus.network = .routed(
        ServerLinks(reconciler: network, root: "\(dataDirectory.path)/containers/\(code)", logger: logger))
    }
    return IncusDriver(configuration: incus, cluster: cluster, clock: clock, logger: logger)
  }
}
