package import Foundation

/// What outlives the process. Each method is one transaction that keeps the invariants: an address belongs to one server,
/// a balance is the sum of its ledger and never negative, and a server has at most one running operation.
///
/// Methods that take an account see nothing of any other account. A store throws `Failure` where the customer did
/// something that cannot be, and any other error where the store itself is at fault.
package protocol Store: Sendable {
  // MARK: Installation

  /// Names this installation for good, so that its machines can be told from those of another on the same host.
  func installationID() async throws -> UUID

  /// Fills an empty store with a catalogue, an account, its opening credit and a token. Returns false, and changes nothing,
  /// where there is an account already.
  func bootstrap(_ installation: NewInstallation, at now: Timestamp) async throws -> Bool
  func isBootstrapped() async throws -> Bool

  // MARK: Catalogue

  func catalogue() async throws -> Catalogue

  // MARK: Accounts and tokens

  /// In the order of their ids, those after this one; of so many at most.
  func accounts(after id: ID<Account>?, limit: Int) async throws -> [Account]
  func account(email: String) async throws -> Account?
  func account(_ id: ID<Account>) async throws -> Account?
  func createAccount(email: String, openingCredit: Money, at now: Timestamp) async throws -> Account

  // Without a caller: the operator does it, and the audit trail says so.
  func token(hash: TokenHash) async throws -> Token?
  /// In the order of their ids, those after this one; of so many at most.
  func tokens(after id: ID<Token>?, limit: Int) async throws -> [Token]
  func createToken(_ token: NewToken, at now: Timestamp) async throws -> Token
  /// Revokes with it all that were made with it. Returns false where there is no such token. Revoking one again changes
  /// nothing.
  func revokeToken(_ id: ID<Token>, at now: Timestamp) async throws -> Bool
  /// Those of an account that were not revoked; only those of this name, whatever the case of its letters, where there is
  /// one. Throws `notFound` where there is no such page.
  func tokens(
    of account: ID<Account>, named name: String?, order: [ListOrder<TokenKey>], page: PageRequest
  ) async throws -> Page<Token>
  func token(_ id: ID<Token>, of account: ID<Account>) async throws -> Token?
  /// The new token is the child of the caller's. Throws `credentialsInvalid` where that is not valid any more, and
  /// `permissionDenied` beyond the account's quota; tokens that have expired make room.
  func createToken(_ token: NewToken, by caller: Caller, at now: Timestamp) async throws -> Token
  /// Revokes with it all that were made with it, and returns all of them: none where the caller's account has no such token,
  /// or has revoked it.
  func revokeToken(_ id: ID<Token>, by caller: Caller, at now: Timestamp) async throws -> [ID<Token>]
  /// Returns false where there is no such account.
  func updateProfile(of account: ID<Account>, _ change: ProfileChange, at now: Timestamp) async throws -> Bool
  func recordTokenUse(_ uses: [ID<Token>: Timestamp]) async throws

  // MARK: Repeatable requests

  /// Grants the claim where nobody has it. Throws `permissionDenied` where as much is kept of the account's as may be, and
  /// nothing of it can make room.
  func claim(
    _ request: RepeatableRequest, leaseUntil: Timestamp, keeping retention: RequestRetention, at now: Timestamp
  ) async throws -> RequestState
  func finish(_ request: RepeatableRequest, status: Int, sealedBody: [UInt8]) async throws
  /// Gives the claim back, unless something was changed under it.
  func abandon(_ request: RepeatableRequest) async throws

  // MARK: SSH keys

  /// Only those of this name, whatever the case of its letters, where there is one. Throws `notFound` where there is no such
  /// page.
  func sshKeys(
    of account: ID<Account>, named name: String?, order: [ListOrder<SSHKeyKey>], page: PageRequest
  ) async throws -> Page<SSHKey>
  func sshKey(_ id: ID<SSHKey>, of account: ID<Account>) async throws -> SSHKey?
  /// Those that the account has, all in one look.
  func sshKeyIDs(
    _ references: [Reference<SSHKey>], of account: ID<Account>
  ) async throws -> [Reference<SSHKey>: ID<SSHKey>]
  /// Throws `invalidFields` where the account has this key, by fingerprint, already, and `permissionDenied` beyond its quota.
  func createSSHKey(_ key: NewSSHKey, by caller: Caller, at now: Timestamp) async throws -> SSHKey
  func deleteSSHKey(_ id: ID<SSHKey>, by caller: Caller, at now: Timestamp) async throws -> Bool

  // MARK: Servers, for customers: a deleted one is not seen from the moment of the request

  /// Those that the filter lets through, in the order of the keys. Throws `notFound` where there is no such page.
  func servers(
    of account: ID<Account>, filter: ServerFilter, order: [ListOrder<ServerKey>], page: PageRequest
  ) async throws -> Page<Server>
  func server(_ id: ID<Server>, of account: ID<Account>) async throws -> Server?
  func serverID(_ uuid: UUID, of account: ID<Account>) async throws -> ID<Server>?
  func usage(of id: ID<Server>) async throws -> ResourceUsage?

  /// Writes server, address, credit hold, operation and audit row. Throws `permissionDenied` beyond the account's quota,
  /// `insufficientCredit`, `noCapacity` (no free
  /// address in the pool, or not enough of the host's capacity left), or `invalidFields` for an SSH key that is not the
  /// account's; then nothing is written.
  func createServer(
    _ server: NewServer, pool: AddressPool, capacity: HostCapacity?, by caller: Caller, at now: Timestamp
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
  /// `insufficientCredit` or `noCapacity`. Returns nil where there is no such server.
  func requestResize(
    of id: ID<Server>, to plan: Plan, capacity: HostCapacity?, by caller: Caller, at now: Timestamp
  ) async throws -> RequestedOperation?

  /// Queues the change to another operating system, on a new disk. Throws `wrongState`, `invalidFields` for a key that is not
  /// the account's, `conflict` while another such change is not over, or `insufficientCredit` for a server that failed before
  /// it was ever ready. Returns nil where there is no such server.
  func requestRebuild(
    of id: ID<Server>, with system: NewSystem, by caller: Caller, at now: Timestamp
  ) async throws -> RequestedOperation?

  /// Hides the server, cancels what waits, and queues its `delete`. Returns false where there is no such server. Throws
  /// `preconditionFailed` where it is not as expected; nil is for whatever it is like.
  func requestDeletion(
    of id: ID<Server>, expecting expected: Server.Writable?, by caller: Caller, at now: Timestamp
  ) async throws -> Bool

  // MARK: Servers, for the engine and the operator

  /// In the order of their ids, those after this one that are not erased; of so many at most.
  func allServers(after id: ID<Server>?, limit: Int) async throws -> [Server]
  /// Deleted ones too, until they are erased.
  func server(_ id: ID<Server>) async throws -> Server?
  /// Gives the server another free address of the pool instead of the one it has, which something else on the host uses.
  func replaceAddress(of id: ID<Server>, pool: AddressPool, lease: Lease) async throws -> IPv4Address?

  // MARK: Operations

  func operation(_ id: ID<Operation>) async throws -> Operation?
  /// The newest of a server that failed.
  func lastFailure(of id: ID<Server>) async throws -> Operation?
  /// The history of a server, oldest first.
  func operations(of id: ID<Server>) async throws -> [Operation]
  /// The same for its customer, a page of it; nil where the account has no such server.
  func history(of id: ID<Server>, of account: ID<Account>, isNewestFirst: Bool, page: PageRequest) async throws
    -> Page<OperationRecord>?
  /// Takes the lease of the operation that is due for longest. One that was scheduled later than now is due, too: it was
  /// before somebody set the clock back, and waits for no longer than was meant.
  func claimOperation(at now: Timestamp) async throws -> Lease?
  /// When the next operation is due that nobody holds; nil where none waits.
  func nextOperationDue() async throws -> Timestamp?
  /// What waited for a turn is due now.
  func hasten(_ operations: [ID<Operation>], at now: Timestamp) async throws
  /// At most the outcome of one step, `WHERE id AND lease`.
  func commit(_ outcome: StepOutcome, of lease: Lease, at now: Timestamp) async throws -> CommitResult
  /// For a process that starts, and knows that it is the only one: every lease left over is free at once, every claim of a
  /// request too, and what waited is due.
  func releaseAllLeases() async throws

  // MARK: Copies of disks, for customers: a deleted one is not seen from the moment of the request

  /// Those that the filter lets through, in the order of the keys. Throws `notFound` where there is no such page.
  func diskCopies(
    _ family: DiskCopy.Family, of account: ID<Account>, filter: DiskCopyFilter, order: [ListOrder<DiskCopyKey>],
    page: PageRequest
  ) async throws -> Page<DiskCopy>
  func diskCopy(_ id: ID<DiskCopy>, _ family: DiskCopy.Family, of account: ID<Account>) async throws -> DiskCopy?
  func diskCopyID(_ uuid: UUID, of account: ID<Account>) async throws -> ID<DiskCopy>?

  /// Writes the copy, and queues the operation that makes it. Returns nil where there is no such server. Throws `wrongState`
  /// where it has no disk and will not get one, `permissionDenied` beyond the quota of the server.
  func createDiskCopy(_ copy: NewDiskCopy, by caller: Caller, at now: Timestamp) async throws -> DiskCopy?

  /// Queues a `restore` from the copy. Returns nil where there is no such copy. Throws `wrongState` where it is not
  /// completed, and `conflict` while another restore of the server is not over.
  func requestRestore(
    of id: ID<DiskCopy>, _ family: DiskCopy.Family, by caller: Caller, at now: Timestamp
  ) async throws -> RequestedOperation?

  /// Hides the copy, ends what is still making it, and queues its `discard`. Returns its server; nil where there is no such
  /// copy.
  func requestDiscard(
    of id: ID<DiskCopy>, _ family: DiskCopy.Family, by caller: Caller, at now: Timestamp
  ) async throws -> ID<Server>?

  // MARK: Copies of disks, for the engine

  /// Hidden ones too, until they are erased.
  func diskCopy(_ id: ID<DiskCopy>) async throws -> DiskCopy?
  /// All of a server that may have a file, ordered by id.
  func diskCopies(of server: ID<Server>) async throws -> [DiskCopy]

  /// Where nobody has seen this day yet, every server that is to have backups and has a disk gets its turn. Then begins
  /// backups whose turn it is, as long as fewer than `limit` automatic ones are under way.
  func beginDueBackups(of day: BackupDay, atOnce limit: Int, at now: Timestamp) async throws -> BackupProgress

  /// Notes the time of day, and says whether it can be believed: not for a day after it was found to be set by more than an
  /// hour, or was looked at for the last time so long ago.
  ///
  /// - Parameter elapsed: What has passed since the last note of this process; zero for its first.
  func trusts(_ now: Timestamp, after elapsed: Duration) async throws -> Bool

  /// Hides the copies that have expired, where that is wanted, but never the newest backup of a server that is whole, and
  /// queues the `discard` of those and of all that were left behind; of each so many at most. Returns their servers.
  func discardCopies(expired: Bool, limit: Int, at now: Timestamp) async throws -> [ID<Server>]
  func nextCopyExpiry() async throws -> Timestamp?

  // MARK: Events

  func keptEvents() async throws -> EventRange
  /// Ordered by id.
  func events(of account: ID<Account>, after id: Int64, limit: Int) async throws -> [ServerEvent]

  // MARK: Reconciliation. `event` is the last one from before the machine was looked at: what has happened to the server since
  // counts more.

  /// All servers that are not erased.
  func inventory() async throws -> [InventoryItem]
  /// An active server without an operation that was seen to shut itself down is stopped. Returns whether it was changed.
  func recordShutdown(of id: ID<Server>, seenAfter event: Int64, at now: Timestamp) async throws -> Bool
  /// A stopped server without an operation that was seen to run is active. Returns whether it was changed.
  func recordRunning(of id: ID<Server>, seenAfter event: Int64, at now: Timestamp) async throws -> Bool
  /// A server in error without an operation that was seen to run, and to be ready, is active. One that was never ready was
  /// given back what was held for its first hour: that is charged now, or it stays in error. Returns whether it was changed.
  func recordReturn(of id: ID<Server>, seenAfter event: Int64, at now: Timestamp) async throws -> Bool
  /// Queues a `recover` operation for an active server without an operation, or, where `limit` of them were begun since
  /// `windowStart`, puts it in `error`. Returns whether it was changed.
  func beginRecovery(
    of id: ID<Server>, limit: Int, since windowStart: Timestamp, seenAfter event: Int64, at now: Timestamp
  ) async throws -> Bool

  /// Adds measurements to what is stored, all in one transaction.
  func recordUsage(_ samples: [UsageSample], at now: Timestamp) async throws
}

package struct NewInstallation: Sendable {
  package let catalogue: Catalogue
  package let email: String
  package let openingCredit: Money
  package let tokenName: String
  package let tokenHash: TokenHash

  package init(
    catalogue: Catalogue, email: String, openingCredit: Money, tokenName: String, tokenHash: TokenHash
  ) {
    self.catalogue = catalogue
    self.email = email
    self.openingCredit = openingCredit
    self.tokenName = tokenName
    self.tokenHash = tokenHash
  }
}

/// An operation that somebody has just asked for, and its server as it is from then on.
package struct RequestedOperation: Sendable, Equatable {
  package let server: Server
  package let operation: Operation

  package init(server: Server, operation: Operation) {
    self.server = server
    self.operation = operation
  }
}

/// What the reconciler needs to know of a server.
package struct InventoryItem: Sendable, Equatable {
  package let id: ID<Server>
  package let uuid: UUID
  package let status: ServerStatus
  package let planID: ID<Plan>
  package let hasDisk: Bool
  package let awaitsFirstBoot: Bool
  package let awaitsNewDisk: Bool
  package let isDeleted: Bool
  /// One that may change its power waits or runs.
  package let hasOperation: Bool

  package init(
    id: ID<Server>, uuid: UUID, status: ServerStatus, planID: ID<Plan>, hasDisk: Bool,
    awaitsFirstBoot: Bool = false, awaitsNewDisk: Bool = false, isDeleted: Bool, hasOperation: Bool
  ) {
    self.id = id
    self.uuid = uuid
    self.status = status
    self.planID = planID
    self.hasDisk = hasDisk
    self.awaitsFirstBoot = awaitsFirstBoot
    self.awaitsNewDisk = awaitsNewDisk
    self.isDeleted = isDeleted
    self.hasOperation = hasOperation
  }
}
