/// Several services on one database, and which of them does what.
package protocol ReplicaStore: Sendable {
  /// By the database's clock.
  func time() async throws -> Timestamp

  /// The service lives. In one transaction it keeps what it has, takes what nobody has, as far as that is its share or nobody else
  /// comes for it, and frees what belonged to services that were not heard of for the lifetime: with a host's duty the leases of
  /// its operations, with the installation's the notices that were claimed.
  ///
  /// - Parameters:
  ///   - holding: What it knows that it has. What else is in its name is taken anew.
  ///   - wanting: What it can do.
  func beat(
    _ replica: Replica, holding: [Tenure], wanting: [Duty], for lifetime: Duration
  ) async throws -> ReplicaBeat

  /// Somebody else may have them from now on. Those that it has no more stay as they are.
  func giveBack(_ tenures: [Tenure], of replica: Replica) async throws

  /// The service ends, with all that it has.
  func leave(_ replica: Replica) async throws
}
