/// Several services on one database, and their shares of the duties.
package protocol ReplicaStore: Sendable {
  /// The time by the database's clock.
  func time() async throws -> Timestamp

  /// A heartbeat of a service. In one transaction it renews the service's duties, takes free ones up to its fair share,
  /// or beyond that if nobody else takes them for a while, and removes services that were silent for the lifetime.
  /// Taking a host's duty releases the leases of its operations; taking the installation's, the claimed notices. A host
  /// whose duty no service has had for `Host.longestSilence` is away from then on.
  ///
  /// - Parameters:
  ///   - holding: The duties that the service knows to have. Others in its name are taken anew.
  ///   - wanting: The duties that it can perform.
  ///   - own: Duties that no other service can perform. They count for no share.
  func beat(
    _ replica: Replica, holding: [Tenure], wanting: [Duty], own: [Duty], for lifetime: Duration
  ) async throws -> ReplicaBeat

  /// Frees duties for other services. Those that the service has lost already are left alone.
  func giveBack(_ tenures: [Tenure], of replica: Replica) async throws

  /// Removes a service that ends, and frees all its duties.
  func leave(_ replica: Replica) async throws
}
