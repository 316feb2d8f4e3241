package import Foundation

extension LibvirtDriver {
  package struct Configuration: Sendable {
    package enum Daemon: String, Sendable, CaseIterable {
      /// Started where none runs, with all its state in the data directory.
      case own
      /// The one that the host's administrator started, with the host's settings.
      case host
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
    /// Servers, and a libvirtd of our own, live below it.
    package var dataDirectory: String
    package var imageDirectory: String
    /// Copies of disks.
    package var copyDirectory: String
    /// Whose machines these are: what bears another installation's mark, or none, is never touched.
    package var installation: UUID
    /// Ports of the guests that the servers' own addresses lead to.
    package var guestPorts: [UInt16] = [22, 80, 443]
    /// Nil for KVM where it works.
    package var accelerator: Accelerator?
    /// Whether guests reach other hosts, and with them what listens on this host's loopback addresses.
    package var allowsOutbound = false
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
