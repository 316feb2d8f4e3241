/// The firewalls of servers, for customers, and for the engine that applies them on hosts.
package protocol FirewallStore: Sendable {
  /// Nil if there is no such server.
  func firewall(of id: ID<Server>, of account: ID<Account>) async throws -> ServerFirewall?

  /// Stores the firewall, if it differs, to be applied whatever the server does meanwhile. Returns nil if there is no
  /// such server. Throws `preconditionFailed` if the present firewall is not the expected one.
  func setFirewall(
    _ firewall: Firewall, of id: ID<Server>, expecting expected: Firewall?, by caller: Caller, at now: Timestamp
  ) async throws -> ServerFirewall?

  /// Also finds a deleted server, until it is erased.
  func firewall(of id: ID<Server>) async throws -> ServerFirewall?

  /// The servers whose firewall the host is not yet known to have applied, in the order of their ids.
  func serversAwaitingFirewall(on host: ID<Host>, after id: ID<Server>?, limit: Int) async throws -> [ID<Server>]

  /// The same servers, by the time of the customer's last change of the firewall, newest first.
  func serversAwaitingNewestFirewall(on host: ID<Host>, limit: Int) async throws -> [ID<Server>]

  /// Records that the host has applied this revision.
  func recordFirewall(_ revision: Int64, appliedTo id: ID<Server>) async throws
}
