package import Foundation
package import HostImages

extension IncusDriver {
  /// What this driver has to know of its part of a cluster.
  package struct Configuration: Sendable {
    /// How often what the member has is given away.
    package struct Overcommitment: Sendable {
      package var vcpus = 16.0
      package var memory = 1.0
      package var storage = 2.0
    }

    package let installation: UUID
    package var storagePool = "default"
    /// Whether every member reaches the disks of that pool, and takes over the containers of one that is lost.
    package var sharesStorage = false
    /// The member that is this host; nil where the server is none of a cluster.
    package var member: String?
    /// Where images of containers are on this machine; nil where there are only those of the cluster.
    package var images: ImageStore?
    package var network = ContainerNetwork.loopback(ports: [22, 80, 443])
    package var overcommitment = Overcommitment()

    package init(installation: UUID) {
      self.installation = installation
    }
  }
}

/// How long the server may take for what.
enum IncusDeadline {
  /// To say who it is.
  static let server = Duration.seconds(5)
  /// For one instance, whose member may be away: the others wait ten seconds for that one.
  static let instance = Duration.seconds(15)
  /// For all: the first one that is asked for after a member fell silent takes half a minute.
  static let list = Duration.seconds(40)
  /// How long whoever knows what they were the last time waits for all.
  static let patience = Duration.seconds(8)
  /// How long whoever can do without waits for what is measured of all.
  static let measurement = Duration.seconds(15)
  /// To unpack an image that this member never had.
  static let create = Duration.seconds(180)
  /// To send an image, and to take it in.
  static let upload = Duration.seconds(900)
  static let start = Duration.seconds(60)
  static let stop = Duration.seconds(30)
  static let remove = Duration.seconds(60)
  /// For a program in a container.
  static let program = Duration.seconds(20)
  /// How long nothing may move of what one server sends to another.
  static let stillness = Duration.seconds(60)
}
