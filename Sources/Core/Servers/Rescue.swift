/// The system that runs in the place of a server's own, with the server's disk beside its own: asked for, or entered.
package struct Rescue: Sendable, Equatable {
  /// Of the image that it is made from, which is one of ours.
  package static let imageName = "debian-12"
  /// Of its own disk, which goes with it.
  package static let storageGiB = 4

  /// Nil until it is entered.
  package let imageVersion: String?
  /// The public keys to install, a line each.
  package let authorizedKey: String?
  /// crypt(3) of its root password, until its first boot is over.
  package let rootPasswordHash: String?
  package let isEntered: Bool
  package let awaitsFirstBoot: Bool

  package init(
    imageVersion: String?, authorizedKey: String?, rootPasswordHash: String?, isEntered: Bool, awaitsFirstBoot: Bool
  ) {
    self.imageVersion = imageVersion
    self.authorizedKey = authorizedKey
    self.rootPasswordHash = rootPasswordHash
    self.isEntered = isEntered
    self.awaitsFirstBoot = awaitsFirstBoot
  }
}

/// A rescue system as it is asked for: with keys, or with a password.
package struct NewRescue: Sendable {
  package let sshKeyIDs: [ID<SSHKey>]
  package let rootPasswordHash: String?

  package init(sshKeyIDs: [ID<SSHKey>], rootPasswordHash: String?) {
    self.sshKeyIDs = sshKeyIDs
    self.rootPasswordHash = rootPasswordHash
  }
}

extension ServerStatus {
  /// Whether a server may be taken into a rescue system, or out of it: nothing is on its way. Throws why not.
  package func requireSettled(hasDisk: Bool) throws(Failure) {
    switch self {
    case .active, .stopped: break
    case .error where hasDisk: break
    case .error: throw .neverCreated
    case .provisioning, .starting, .stopping, .rebooting, .suspended:
      throw Failure(.wrongState, "Server is \(rawValue).")
    }
  }
}
