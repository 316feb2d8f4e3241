package import struct Foundation.UUID

/// Servers, for customers: a deleted one is not seen from the moment of the request.
package protocol ServerStore: Sendable {
  /// Those that the filter lets through, in the order of the keys. Throws `notFound` where there is no such page.
  func servers(
    of account: ID<Account>, filter: ServerFilter, order: [ListOrder<ServerKey>], page: PageRequest
  ) async throws -> Page<Server>
  func server(_ id: ID<Server>, of account: ID<Account>) async throws -> Server?
  /// Whether it is to be off, for whatever cause, from the moment at which that is said; nil where there is no such server.
  func isSuspended(_ id: ID<Server>, of account: ID<Account>) async throws -> Bool?
  func serverID(_ uuid: UUID, of account: ID<Account>) async throws -> ID<Server>?
  func usage(of id: ID<Server>) async throws -> ResourceUsage?
  /// The same for its customer, a page of it; nil where the account has no such server.
  func history(of id: ID<Server>, of account: ID<Account>, isNewestFirst: Bool, page: PageRequest) async throws
    -> Page<OperationRecord>?
  /// Of any account: for whoever has just asked for it.
  func operation(_ id: ID<Operation>) async throws -> Operation?

  /// Writes server, addresses, credit hold, operation and audit row. Throws `permissionDenied` beyond the account's quota,
  /// `insufficientCredit`, `noCapacity` (no free address in
  /// a pool, or no host at the location with room for it: see `HostChoice`), or `invalidFields` for an SSH key that is not the
  /// account's; then nothing is written.
  func createServer(
    _ server: NewServer, pools: AddressPools.Pair, by caller: Caller, at now: Timestamp
  ) async throws -> Server

  /// Returns nil where there is no such server. Throws `preconditionFailed` where it is not as expected. A changed hostname queues a `configure` operation where a guest may run.
  func updateServer(_ id: ID<Server>, _ change: ServerChange, by caller: Caller, at now: Timestamp) async throws
    -> Server?

  /// Sets the transitional status and queues the operation, or throws `wrongState` by the table of `ServerStatus`. The first
  /// start of a server that failed before it was ever ready holds its first hour again, or throws `insufficientCredit`.
  /// Returns nil where there is no such server.
  func requestAction(_ action: PowerAction, on id: ID<Server>, by caller: Caller, at now: Timestamp) async throws
    -> Server?

  /// Writes down that its console was asked for. Throws `wrongState` where it is not active; returns nil where there is no such
  /// server.
  func recordConsole(of id: ID<Server>, by caller: Caller, at now: Timestamp) async throws -> Server?

  /// Queues the change to another plan, and reserves what the server needs until it is over: the larger of both plans. Throws
  /// `wrongState`, `invalidFields` for a plan that does not fit the server, `conflict` while another such change is not over,
  /// `insufficientCredit` or `noCapacity`. Returns nil where there is no such
  /// server.
  func requestResize(
    of id: ID<Server>, to plan: Plan, by caller: Caller, at now: Timestamp
  ) async throws -> RequestedOperation?

  /// Queues the change to another operating system, on a new disk. Throws `permissionDenied` where it is protected, `wrongState`, `invalidFields` for a key that is not
  /// the account's, `conflict` while another such change is not over, or `insufficientCredit` for a server that failed before
  /// it was ever ready. Returns nil where there is no such server.
  func requestRebuild(
    of id: ID<Server>, with system: NewSystem, by caller: Caller, at now: Timestamp
  ) async throws -> RequestedOperation?

  /// Queues the boot of a rescue system. Throws `wrongState`, also where there is one already, `invalidFields` for a key that is
  /// not the account's, or `insufficientCredit` for a server that failed before it was ever ready. Returns nil where there is no
  /// such server.
  func requestRescue(
    of id: ID<Server>, _ rescue: NewRescue, by caller: Caller, at now: Timestamp
  ) async throws -> RequestedOperation?

  /// Queues the return to the server's own system. Throws `wrongState`, also where it runs already. Returns nil where there is no
  /// such server.
  func requestEndOfRescue(of id: ID<Server>, by caller: Caller, at now: Timestamp) async throws -> RequestedOperation?

  /// Writes down that its password was replaced. Returns false where there is no such server.
  func recordPasswordReset(of id: ID<Server>, by caller: Caller, at now: Timestamp) async throws -> Bool

  /// Hides the server, cancels what waits, and queues its `delete`. Returns its host; nil where there is no such server. Throws
  /// `permissionDenied` where it is protected, and
  /// `preconditionFailed` where it is not as expected; nil is for whatever it is like.
  func requestDeletion(
    of id: ID<Server>, expecting expected: Server.Writable?, by caller: Caller, at now: Timestamp
  ) async throws -> ID<Host>?
}
