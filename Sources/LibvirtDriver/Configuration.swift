import Core
package import Foundation
package import HostNetwork
import Logging

extension LibvirtDriver {
  package struct Configuration: Sendable {
    package enum Daemon: String, Sendable, CaseIterable {
      /// Started where none runs, with all its state in the data directory.
      case own
      /// The one that the host's administrator started, with the host's settings.
      case host
    }

    /// How machines are reached.
    package enum Network: Sendable {
      /// At addresses of this host's loopback, from this host alone.
      case loopback
      /// By a tap of its own each: from wherever packets for their addresses come to this host, or to a bridge of it.
      case taps(HostNetworkSettings)
    }

    package enum Outbound: String, Sendable, CaseIterable {
      /// Where this host can keep them from itself meanwhile.
      case auto
      case yes = "true"
      case no = "false"
    }

    /// How much more servers may be promised than the host has.
    package struct Overcommitment: Sendable {
      package var memory = 1.0
      package var vcpus = 16.0
      /// Disks are sparse, and share their images.
      package var storage = 2.0

      package init() {}
    }

    package var daemon = Daemon.own
    package var network = Network.loopback
    /// Servers, and a libvirtd of our own, live below it.
    package var dataDirectory: String
    package var imageDirectory: String
    /// Copies of disks.
    package var copyDirectory: String
    /// Where it is written who publishes images that are not there; nil where none is fetched.
    package var imageRecipes: URL?
    /// Whose machines these are: what bears another installation's mark, or none, is never touched.
    package var installation: UUID
    /// Ports of the guests that the servers' own addresses lead to.
    package var guestPorts: [UInt16] = [22, 80, 443]
    /// Nil for KVM where it works.
    package var accelerator: Accelerator?
    /// Whether guests of the loopback network reach other hosts.
    package var outbound = Outbound.no
    /// Whether they may open connections to TCP port 25 there.
    package var mayMail = false
    package var overcommitment = Overcommitment()
    /// Whether nothing is started or changed, whatever is found: for a look beside a service.
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
  /// - Parameter lowestPort: Above those where QEMU may not listen.
  func machineNetwork(
    lowestPort: UInt16, outbound: OutboundNamespace?, retired: OutboundNamespace?, logger: Logger
  ) throws -> any MachineNetwork {
    switch network {
    case .loopback:
      let ports = try PortChoice(
        for: guestPorts, from: lowestPort, path: "\(dataDirectory)/forwarded-ports", logger: logger)
      return LoopbackNetwork(ports: ports, outbound: outbound, retired: retired, logger: logger)
    case .taps(let settings):
      let reconciler = NetworkReconciler(
        settings: settings, installation: installation, stateDirectory: dataDirectory, logger: logger)
      return TapNetwork(reconciler: reconciler, dataDirectory: dataDirectory, logger: logger)
    }
  }

  /// Nil where guests reach nobody, which is said where it is not what was asked for.
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

  /// One that is there from the time when they did. What runs in it is still reached, and with the last of it it goes.
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
