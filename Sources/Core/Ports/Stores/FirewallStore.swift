/// The firewalls of servers: for their customers, and for the engine that has hosts apply them.
package protocol FirewallStore: Sendable {
  /// Nil where there is no such server.
  func firewall(of id: ID<Server>, of account: ID<Account>) async throws -> ServerFirewall?

  /// Writes it down, if it is another one, as what is to be applied, whatever the server does meanwhile. Returns nil where there
  /// is no such server. Throws `preconditionFailed` where the one before is not as expected.
  func setFirewall(
    _ firewall: Firewall, of id: ID<Server>, expecting expected: Firewall?, by caller: Caller, at now: Timestamp
  ) async throws -> ServerFirewall?

  /// Of a deleted one too, until it is erased.
  func firewall(of id: ID<Server>) async throws -> ServerFirewall?

  /// Which servers of the host have a firewall that it is not known to have taken over, by their ids.
  func serversAwaitingFirewall(on host: ID<Host>, after id: ID<Server>?, limit: Int) async throws -> [ID<Server>]

  /// Those of them whose firewalls their customers have changed last, the newest first.
  func serversAwaitingNewestFirewall(on host: ID<Host>, limit: Int) async throws -> [ID<Server>]

  /// The host has taken over this revision.
  func recordFirewall(_ revision: Int64, appliedTo id: ID<Server>) async throws
}
