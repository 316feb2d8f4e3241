import Core
package import Foundation
package import HostNetwork
import Logging

extension LibvirtDriver {
  package struct Configuration: Sendable {
    package enum Daemon: String, Sendable, CaseIterable {
      /// Started by vpsd if none runs, with all its state in the data directory.
      case own
      /// The libvirtd that the host's administrator runs, with the host's settings.
      case host
    }

    /// How machines are reached.
    package enum Network: Sendable {
      /// At addresses of this host's loopback, from this host alone.
      case loopback
      /// Through a tap of its own for each machine: from wherever packets for their addresses reach this host, or a bridge of
      /// it.
      case taps(HostNetworkSettings)
    }

    package enum InstantTemplates: String, Sendable, CaseIterable {
      /// Made while the host is idle, for everything that can be ordered here.
      case auto
      case off
    }

    package enum Outbound: String, Sendable, CaseIterable {
      /// On if the host can let guests out and still keep them from reaching the host itself; otherwise off.
      case auto
      case yes = "true"
      case no = "false"
    }

    /// The factors by which the resources promised to servers may exceed those of the host.
    package struct Overcommitment: Sendable {
      package var memory = 1.0
      package var vcpus = 16.0
      /// Disks are sparse, and share their images.
      package var storage = 2.0

      package init() {}
    }

    package var daemon = Daemon.own
    package var network = Network.loopback
    /// That of the taps, where servers of other drivers are in the same network; nil to make one.
    package var reconciler: NetworkReconciler?
    /// The folder of the servers' files, and of the state of our own libvirtd.
    package var dataDirectory: String
    package var imageDirectory: String
    /// Copies of disks.
    package var copyDirectory: String
    /// The folder of recipes, which say who publishes an image; nil if missing images are not downloaded.
    package var imageRecipes: URL?
    /// Machines with the mark of another installation, or with none, are never touched.
    package var installation: UUID
    /// The guest ports that are reached at the servers' own addresses.
    package var guestPorts: [UInt16] = [22, 80, 443]
    /// Nil to use KVM where it works, and TCG elsewhere.
    package var accelerator: Accelerator?
    /// Whether guests of the loopback network reach other hosts.
    package var outbound = Outbound.no
    /// Whether guests of the loopback network may open connections to TCP port 25 of other hosts.
    package var mayMail = false
    package var overcommitment = Overcommitment()
    /// Whether new servers start from the memory of templates.
    package var instantTemplates = InstantTemplates.off
    /// The most that the files of all templates may take.
    package var instantStorageBytes: Int64 = 8 << 30
    /// True to start and change nothing, whatever is found: for a command that inspects the host beside a running service.
    package var onlyLooks = false

    package init(dataDirectory: String, imageDirectory: String, installation: UUID) {
      self.dataDirectory = dataDirectory
      self.imageDirectory = imageDirectory
      self.copyDirectory = "\(dataDirectory)/copies"
      self.installation = installation
    }
  }
}

extension LibvirtDriver.Configuration {
  /// - Parameter lowestPort: The lowest port on which QEMU may listen.
  func machineNetwork(
    lowestPort: UInt16, outbound: OutboundNamespace?, retired: OutboundNamespace?, logger: Logger
  ) throws -> any MachineNetwork {
    switch network {
    case .loopback:
      let ports = try PortChoice(
        for: guestPorts, from: lowestPort, path: "\(dataDirectory)/forwarded-ports", logger: logger)
      return LoopbackNetwork(ports: ports, outbound: outbound, retired: retired, logger: logger)
    case .taps(let settings):
      let reconciler =
        reconciler
        ?? NetworkReconciler(
          settings: settings, installation: installation, stateDirectory: dataDirectory, logger: logger)
      return TapNetwork(reconciler: reconciler, dataDirectory: dataDirectory, logger: logger)
    }
  }

  /// Nil where guests cannot reach other hosts. An obstacle is logged for `auto`, and thrown for `yes`.
  func outboundNamespace(logger: Logger) throws -> OutboundNamespace? {
    guard case .loopback = network, outbound != .no, !onlyLooks else { return nil }
    let namespace = outboundNamespace(isRetired: false, logger)
    let obstacle =
      daemon == .host ? "the host's own libvirtd runs them in the host's network" : namespace.obstacle
    if let obstacle {
      guard outbound == .auto else { throw DriverError(.rejected, "servers cannot reach the internet: \(obstacle)") }
      logger.notice("servers cannot reach the internet: \(obstacle)")
      return nil
    }
    return namespace
  }

  /// The namespace left by an earlier configuration in which guests reached other hosts; nil where there is none. Machines that
  /// still run in it stay reachable, and it is removed with the last of them.
  func retiredNamespace(logger: Logger) -> OutboundNamespace? {
    let namespace = outboundNamespace(isRetired: true, logger)
    return onlyLooks || !namespace.exists ? nil : namespace
  }

  func outboundNamespace(isRetired: Bool, _ logger: Logger) -> OutboundNamespace {
    OutboundNamespace(
      directory: "\(dataDirectory)/outbound", mayMail: mayMail, isRetired: isRetired, logger: logger)
  }

  /// The ports of the host that QEMU itself listens on.
  var hostPorts: [UInt16] {
    switch network {
    case .loopback: guestPorts
    case .taps: []
    }
  }
}
