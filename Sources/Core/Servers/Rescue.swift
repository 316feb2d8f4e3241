/// The rescue system of a server, requested or entered: it boots instead of the server's own system, with the server's
/// disk attached.
package struct Rescue: Sendable, Equatable {
  /// The image that it is made from, one of the project's own.
  package static let imageName = "debian-12"
  /// The size of its own disk, which is removed with it.
  package static let storageGiB = 4

  /// Nil until it is entered.
  package let imageVersion: String?
  /// The public keys to install, one per line.
  package let authorizedKey: String?
  /// The crypt(3) hash of its root password, until its first boot is over.
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

/// A requested rescue system: with keys, or with a password.
package struct NewRescue: Sendable {
  package let sshKeyIDs: [ID<SSHKey>]
  package let rootPasswordHash: String?

  package init(sshKeyIDs: [ID<SSHKey>], rootPasswordHash: String?) {
    self.sshKeyIDs = sshKeyIDs
    self.rootPasswordHash = rootPasswordHash
  }
}

extension ServerStatus {
  /// Checks that a server may enter or leave rescue: it has a disk, and is not on its way to another status. Throws why
  /// not.
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
