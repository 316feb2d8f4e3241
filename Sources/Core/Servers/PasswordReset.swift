package import struct Foundation.UUID

/// A password that is to be set in a running guest.
package struct PasswordReset: Sendable, Equatable {
  package enum Outcome: Sendable, Equatable {
    case done
    case failed(DriverError.Kind, customerReason: String?)
  }

  package let serverID: ID<Server>
  package let hostID: ID<Host>
  package let machine: UUID
  /// The login account of the guest.
  package let account: String
  /// The crypt(3) hash of the password. Its salt is random, so it also tells one reset from the next.
  package let hash: String

  package init(serverID: ID<Server>, hostID: ID<Host>, machine: UUID, account: String, hash: String) {
    self.serverID = serverID
    self.hostID = hostID
    self.machine = machine
    self.account = account
    self.hash = hash
  }
}
