import Core
import Foundation
import HostNetwork
import IncusDriver
import LibvirtDriver
import Logging

extension IncusDriver: HostedDriver {
  /// Does nothing: containers start in a second.
  func want(templatesOf shapes: [MachineShape]) {}
  /// What goes on at the server goes on without us, and is found there again.
  func endWork() async throws {}
  func endHost() async throws { try await forgetShutdowns() }
  /// Those of containers are the server's, which knows each of them.
  func processes() async throws -> [UUID: pid_t] { [:] }
  func machinesOnHost() async throws -> Set<UUID> { Set(try await observe().powers.keys) }
}

extension Configuration {
  /// Nil for a host of another driver.
  func containers(
    of host: HostDeclaration, _ installation: UUID, _ network: NetworkReconciler?, _ clock: any WallClock,
    _ logger: Logger
  ) throws -> IncusDriver? {
    guard host.driver == LocationDriver.incus.rawValue else { return nil }
    let location = String(host.name.prefix { $0 != "/" })
    guard let settings = locations[location] else {
      throw Refusal.refused("The host \(host.name) is of a location that is not in the configuration any more.")
    }
    var incus = IncusDriver.Configuration(endpoint: try settings.incus.endpoint(), installation: installation)
    incus.project = settings.incus.project
    incus.storagePool = settings.incus.storagePool
    incus.member = settings.incus.member
    incus.network = .loopback(ports: forwardedPorts)
    incus.images = images
    incus.overcommitment.vcpus = overcommit.vcpus
    incus.overcommitment.memory = overcommit.memory
    incus.overcommitment.storage = overcommit.storage
    var logger = logger
    logger[metadataKey: "host"] = "\(host.name)"
    if settings.hasRoutedContainers, let network {
      incus.network = .routed(
        ServerLinks(reconciler: network, root: "\(dataDirectory.path)/containers/\(location)", logger: logger))
    }
    return IncusDriver(configuration: incus, clock: clock, logger: logger)
  }
}
