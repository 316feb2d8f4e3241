package import struct Foundation.UUID

/// Operations, and what they need to know, for the engine that carries them out.
package protocol OperationStore: Sendable {
  /// For a process that starts, and knows that it is the only one: releases all leases of operations and all claims of
  /// requests, and makes operations due that waited for a turn or a retry.
  func releaseAllLeases() async throws
  /// Takes the leases of the host's operations that have been due for longest. An operation that was scheduled at a later
  /// time than now is due, too: the clock was set back since, and it must not wait longer than was meant.
  ///
  /// - Parameter tokens: New ones, one for each lease that is wanted. A caller that gets no answer does not know whether it has
  ///   the leases.
  /// - Returns: One lease for each of the first tokens; fewer where no more operations are due.
  func claimOperations(on host: ID<Host>, as tokens: [UUID], at now: Timestamp) async throws -> [Lease]
  /// Releases those leases of the host's operations that have one of these tokens.
  func releaseLeases(_ tokens: [UUID], on host: ID<Host>) async throws
  /// When the host's next operation that nobody holds is due; nil if none waits.
  func nextOperationDue(on host: ID<Host>) async throws -> Timestamp?
  /// Makes operations due now that waited for their turn.
  func hasten(_ operations: [ID<Operation>], at now: Timestamp) async throws
  /// Commits the outcome of a step, at most once and only under the lease: `WHERE id AND lease`.
  ///
  /// - Parameter keepsLease: Whether the lease is kept if another step follows: its holder runs that at once.
  func commit(
    _ outcome: StepOutcome, of lease: Lease, keepsLease: Bool, at now: Timestamp
  ) async throws -> CommitResult
  /// The server of the operation; nil where the lease is not held any more, or a deletion has overtaken the operation.
  func server(under lease: Lease) async throws -> Server?

  /// Also finds deleted servers, until they are erased.
  func server(_ id: ID<Server>) async throws -> Server?
  /// Replaces the server's first address of this family, which something else on the host uses, by another free address
  /// of its pool; during a move, the first of those that it will have. Nil if there is none, or if the lease is lost.
  func replaceAddress(
    _ family: ServerAddress.Family, of id: ID<Server>, pools: AddressPools.Pair, lease: Lease, at now: Timestamp
  ) async throws -> ServerAddress?
  /// Records that the host has applied these addresses, and releases those that the server is giving up, for others to
  /// use. Does nothing if the lease is lost.
  func recordAddresses(_ addresses: ServerAddresses, of id: ID<Server>, lease: Lease, at now: Timestamp) async throws
  /// The move that an operation is about; nil if it is about none.
  func move(_ id: ID<Operation>) async throws -> ServerMove?
  /// Nil if it has none.
  func sealedUserData(of id: ID<Server>) async throws -> [UInt8]?
  /// The user data that an unfinished rebuild brings, or keeps from before; nil for none.
  func sealedUserData(ofRebuild id: ID<Operation>) async throws -> [UInt8]?
  /// Also finds hidden copies, until they are erased.
  func diskCopy(_ id: ID<DiskCopy>) async throws -> DiskCopy?
}

extension OperationStore {
  package func claimOperation(on host: ID<Host>, at now: Timestamp) async throws -> Lease? {
    try await claimOperations(on: host, as: [UUID.random()], at: now).first
  }

  package func commit(_ outcome: StepOutcome, of lease: Lease, at now: Timestamp) async throws -> CommitResult {
    try await commit(outcome, of: lease, keepsLease: false, at: now)
  }
}
