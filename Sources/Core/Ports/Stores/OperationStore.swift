/// Operations, and what they are about, for the engine that carries them out.
package protocol OperationStore: Sendable {
  /// For a process that starts, and knows that it is the only one: every lease left over is free at once, every claim of a
  /// request too, and what waited is due.
  func releaseAllLeases() async throws
  /// Takes the lease of the operation of this host that is due for longest. One that was scheduled later than now is due, too: it was
  /// before somebody set the clock back, and waits for no longer than was meant.
  func claimOperation(on host: ID<Host>, at now: Timestamp) async throws -> Lease?
  /// When the next operation of this host is due that nobody holds; nil where none waits.
  func nextOperationDue(on host: ID<Host>) async throws -> Timestamp?
  /// What waited for a turn is due now.
  func hasten(_ operations: [ID<Operation>], at now: Timestamp) async throws
  /// At most the outcome of one step, `WHERE id AND lease`.
  func commit(_ outcome: StepOutcome, of lease: Lease, at now: Timestamp) async throws -> CommitResult

  /// Deleted ones too, until they are erased.
  func server(_ id: ID<Server>) async throws -> Server?
  /// Gives the server another free address of its pool instead of its first one of this family, which something else on the host
  /// uses. Nil where there is none, or the lease is lost.
  func replaceAddress(
    _ family: ServerAddress.Family, of id: ID<Server>, pools: AddressPools.Pair, lease: Lease, at now: Timestamp
  ) async throws -> ServerAddress?
  /// The host has taken over these: those that the server has no more may be anybody's from now on. Does nothing where the lease
  /// is lost.
  func recordAddresses(_ addresses: ServerAddresses, of id: ID<Server>, lease: Lease, at now: Timestamp) async throws
  /// Nil where it has none.
  func sealedUserData(of id: ID<Server>) async throws -> [UInt8]?
  /// What a rebuild that is not over brings, or keeps; nil for none.
  func sealedUserData(ofRebuild id: ID<Operation>) async throws -> [UInt8]?
  /// Hidden ones too, until they are erased.
  func diskCopy(_ id: ID<DiskCopy>) async throws -> DiskCopy?
}
