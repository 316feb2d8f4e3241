package import struct Foundation.UUID

/// Servers, for customers: a server is invisible from the moment of the request to delete it.
package protocol ServerStore: Sendable {
  /// The servers that match the filter, sorted as requested. Throws `notFound` if there is no such page.
  func servers(
    of account: ID<Account>, filter: ServerFilter, order: [ListOrder<ServerKey>], page: PageRequest
  ) async throws -> Page<Server>
  func server(_ id: ID<Server>, of account: ID<Account>) async throws -> Server?
  /// Whether it must be off, for any cause, even if it has not been stopped yet; nil if there is no such server.
  func isSuspended(_ id: ID<Server>, of account: ID<Account>) async throws -> Bool?
  func serverID(_ uuid: UUID, of account: ID<Account>) async throws -> ID<Server>?
  func usage(of id: ID<Server>) async throws -> ResourceUsage?
  /// A page of the server's operations, for its customer; nil if the account has no such server.
  func history(of id: ID<Server>, of account: ID<Account>, isNewestFirst: Bool, page: PageRequest) async throws
    -> Page<OperationRecord>?
  /// Finds operations of any account: only for a caller that has just requested the operation.
  func operation(_ id: ID<Operation>) async throws -> Operation?

  /// Writes server, addresses, credit hold, operation and audit row. Throws `permissionDenied` beyond the account's
  /// quota, `insufficientCredit`, `noCapacity` (no free address in a pool, or no host at the location with room for it:
  /// see `HostChoice`), or `invalidFields` for an SSH key that is not the account's; then nothing is written.
  func createServer(
    _ server: NewServer, pools: AddressPools.Pair, by caller: Caller, at now: Timestamp
  ) async throws -> Server

  /// Returns nil if there is no such server. Throws `preconditionFailed` if the server is not as expected. A changed
  /// hostname queues a `configure` operation if a guest may be running.
  func updateServer(_ id: ID<Server>, _ change: ServerChange, by caller: Caller, at now: Timestamp) async throws
    -> Server?

  /// Sets the transitional status and queues the operation, or throws `wrongState` by the table of `ServerStatus`.
  /// Starting a server that failed before it was ever ready holds its first hour again, or throws `insufficientCredit`.
  /// Returns nil if there is no such server.
  func requestAction(_ action: PowerAction, on id: ID<Server>, by caller: Caller, at now: Timestamp) async throws
    -> Server?

  /// Records that the server's console was requested. Throws `wrongState` if it is not active; returns nil if there is
  /// no such server.
  func recordConsole(of id: ID<Server>, by caller: Caller, at now: Timestamp) async throws -> Server?

  /// Queues the change to another plan, and until that is over reserves the larger of both plans. Throws `wrongState`,
  /// `invalidFields` for a plan that does not fit the server, `conflict` while another resize is unfinished,
  /// `insufficientCredit` or `noCapacity`. Returns nil if there is no such server.
  func requestResize(
    of id: ID<Server>, to plan: Plan, by caller: Caller, at now: Timestamp
  ) async throws -> RequestedOperation?

  /// Queues the move to another host, where it reserves room and, at another location, as many addresses as the server
  /// has. Throws `wrongState`, `invalidFields` for a location that does not fit the server, `conflict` while it is
  /// being moved or resized, or `noCapacity`. Returns nil if there is no such server.
  func requestMove(
    of id: ID<Server>, _ order: MoveOrder, pools: AddressPools.Pair, by caller: Caller, at now: Timestamp
  ) async throws -> RequestedOperation?

  /// Queues the change to another operating system, on a new disk. Throws `permissionDenied` if the server is
  /// protected, `wrongState`, `invalidFields` for a key that is not the account's, `conflict` while another rebuild is
  /// unfinished, or `insufficientCredit` for a server that failed before it was ever ready. Returns nil if there is no
  /// such server.
  func requestRebuild(
    of id: ID<Server>, with system: NewSystem, by caller: Caller, at now: Timestamp
  ) async throws -> RequestedOperation?

  /// Queues the boot of a rescue system. Throws `wrongState`, also while one runs, `conflict` while one is booting,
  /// `invalidFields` for a key that is not the account's, or `insufficientCredit` for a server that failed before it
  /// was ever ready. Returns nil if there is no such server.
  func requestRescue(
    of id: ID<Server>, _ rescue: NewRescue, by caller: Caller, at now: Timestamp
  ) async throws -> RequestedOperation?

  /// Queues the return to the server's own system. Throws `wrongState`, also if the server is not in rescue. Returns
  /// nil if there is no such server.
  func requestEndOfRescue(of id: ID<Server>, by caller: Caller, at now: Timestamp) async throws -> RequestedOperation?

  /// Records that the server's password was replaced. Returns false if there is no such server.
  func recordPasswordReset(of id: ID<Server>, by caller: Caller, at now: Timestamp) async throws -> Bool

  /// Hides the server, cancels waiting operations, and queues its `delete`. Returns its host; nil if there is no such
  /// server. Throws `permissionDenied` if it is protected, and `preconditionFailed` if it is not as expected; nil
  /// expects nothing.
  func requestDeletion(
    of id: ID<Server>, expecting expected: Server.Writable?, by caller: Caller, at now: Timestamp
  ) async throws -> ID<Host>?
}
