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

  func accounts() async throws -> [Account]
  func account(_ id: ID<Account>) async throws -> Account?
  func createAccount(email: String, openingCredit: Money, at now: Timestamp) async throws -> Account

  // Without a caller: the operator does it, and the audit trail says so.
  func token(hash: TokenHash) async throws -> Token?
  func tokens() async throws -> [Token]
  func createToken(_ token: NewToken, at now: Timestamp) async throws -> Token
  /// Returns false where there is no such token. Revoking one again changes nothing.
  func revokeToken(_ id: ID<Token>, at now: Timestamp) async throws -> Bool
  /// Those of an account that were not revoked.
  func tokens(of account: ID<Account>) async throws -> [Token]
  func token(_ id: ID<Token>, of account: ID<Account>) async throws -> Token?
  func createToken(_ token: NewToken, by caller: Caller, at now: Timestamp) async throws -> Token
  /// Returns false where the caller's account has no such token, or has revoked it.
  func revokeToken(_ id: ID<Token>, by caller: Caller, at now: Timestamp) async throws -> Bool
  /// Returns false where there is no such account.
  func updateProfile(of account: ID<Account>, _ change: ProfileChange, at now: Timestamp) async throws -> Bool
  func recordTokenUse(_ uses: [ID<Token>: Timestamp]) async throws

  // MARK: Repeatable requests

  /// Grants the claim where nobody has it. What was first asked before `forgetBefore` is forgotten.
  func claim(
    _ request: RepeatableRequest, leaseUntil: Timestamp, forgetBefore: Timestamp, at now: Timestamp
  ) async throws -> RequestState
  func finish(_ request: RepeatableRequest, status: Int, sealedBody: [UInt8]) async throws
  /// Gives the claim back, unless something was changed under it.
  func abandon(_ request: RepeatableRequest) async throws

  // MARK: SSH keys

  func sshKeys(of account: ID<Account>) async throws -> [SSHKey]
  func sshKey(_ id: ID<SSHKey>, of account: ID<Account>) async throws -> SSHKey?
  func sshKeyID(_ uuid: UUID, of account: ID<Account>) async throws -> ID<SSHKey>?
  /// Throws `invalidFields` where the account has this key, by fingerprint, already.
  func createSSHKey(_ key: NewSSHKey, by caller: Caller, at now: Timestamp) async throws -> SSHKey
  func deleteSSHKey(_ id: ID<SSHKey>, by caller: Caller, at now: Timestamp) async throws -> Bool

  // MARK: Servers, for customers: a deleted one is not seen from the moment of the request

  /// Those that the filter lets through, in the order of the keys. Throws `notFound` where there is no such page.
  func servers(of account: ID<Account>, filter: ServerFilter, order: [ServerOrder], page: PageRequest) async throws
    -> Page<Server>
  /// All at once, ordered by id.
  func servers(of account: ID<Account>, filter: ServerFilter) async throws -> [Server]
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
  /// `wrongState`, `invalidFields` for a plan that does not fit the server, with the name that the customer gave the field,
  /// `conflict` while another such change is not over, `insufficientCredit` or `noCapacity`. Returns nil where there is no such
  /// server.
  func requestResize(
    of id: ID<Server>, to plan: Plan, field: String, capacity: HostCapacity?, by caller: Caller, at now: Timestamp
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

  func allServers() async throws -> [Server]
  /// Deleted ones too, until they are erased.
  func server(_ id: ID<Server>) async throws -> Server?
  /// Gives the server another free address of the pool instead of the one it has, which something else on the host uses.
  func replaceAddress(of id: ID<Server>, pool: AddressPool, lease: Lease) async throws -> IPv4Address?

  // MARK: Operations

  func operation(_ id: ID<Operation>) async throws -> Operation?
  /// The history of a server, oldest first.
  func operations(of id: ID<Server>) async throws -> [Operation]
  /// The same for its customer, a page of it; nil where the account has no such server.
  func history(of id: ID<Server>, of account: ID<Account>, isNewestFirst: Bool, page: PageRequest) async throws
    -> Page<OperationRecord>?
  /// Takes the lease of the operation that is due for longest. One whose lease has expired is due too, and its step has all
  /// its time again: whoever held the lease never came back.
  func claimOperation(at now: Timestamp, leaseUntil: Timestamp) async throws -> Lease?
  /// When the next operation is due that nobody holds; nil where none waits.
  func nextOperationDue() async throws -> Timestamp?
  /// Returns false where the lease was lost.
  func renew(_ lease: Lease, until: Timestamp) async throws -> Bool
  /// At most the outcome of one step, `WHERE id AND lease`.
  func commit(_ outcome: StepOutcome, of lease: Lease, at now: Timestamp) async throws -> CommitResult
  /// For a process that starts, and knows that it is the only one: every lease left over is free at once, every claim of a
  /// request too, and the time in which nobody worked counts against no step.
  func releaseAllLeases() async throws

  // MARK: Copies of disks, for customers: a deleted one is not seen from the moment of the request

  /// Those that the filter lets through, in the order of the keys. Throws `notFound` where there is no such page.
  func diskCopies(
    _ family: DiskCopy.Family, of account: ID<Account>, filter: DiskCopyFilter, order: [DiskCopyOrder],
    page: PageRequest
  ) async throws -> Page<DiskCopy>
  func diskCopy(_ id: ID<DiskCopy>, _ family: DiskCopy.Family, of account: ID<Account>) async throws -> DiskCopy?
  func diskCopyID(_ uuid: UUID, of account: ID<Account>) async throws -> ID<DiskCopy>?

  /// Writes the copy, and queues the operation that makes it. Returns nil where there is no such server. Throws `wrongState`
  /// where it has no disk and will not get one, `permissionDenied` beyond the quota of the server.
  func createDiskCopy(_ copy: NewDiskCopy, by caller: Caller, at now: Timestamp) async throws -> DiskCopy?

  /// Queues a `restore` from the copy. Returns nil where there is no such copy. Throws `wrongState` where it is not
  /// completed.
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

  /// Hides the copies that have expired, and queues the `discard` of those and of all that were left behind; of each so many
  /// at most. Returns their servers.
  func discardCopies(limit: Int, at now: Timestamp) async throws -> [ID<Server>]
  func nextCopyExpiry() async throws -> Timestamp?

  // MARK: Events

  func keptEvents() async throws -> EventRange
  /// Ordered by id.
  func events(of account: ID<Account>, after id: Int64, limit: Int) async throws -> [ServerEvent]

  // MARK: Reconciliation. `at` is when the machine was looked at: what has happened since counts more.

  /// All servers that are not erased.
  func inventory() async throws -> [InventoryItem]
  /// An active server without an operation that was seen to shut itself down is stopped. Returns whether it was changed.
  func recordShutdown(of id: ID<Server>, at now: Timestamp) async throws -> Bool
  /// A stopped server without an operation that was seen to run is active. Returns whether it was changed.
  func recordRunning(of id: ID<Server>, at now: Timestamp) async throws -> Bool
  /// Queues a `recover` operation for an active server without an operation, or, where `limit` of them were begun since
  /// `windowStart`, puts it in `error`. Returns whether it was changed.
  func beginRecovery(of id: ID<Server>, limit: Int, since windowStart: Timestamp, at now: Timestamp) async throws
    -> Bool

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
  package let isDeleted: Bool
  /// One that may change its power waits or runs.
  package let hasOperation: Bool

  package init(
    id: ID<Server>, uuid: UUID, status: ServerStatus, planID: ID<Plan>, hasDisk: Bool, isDeleted: Bool,
    hasOperation: Bool
  ) {
    self.id = id
    self.uuid = uuid
    self.status = status
    self.planID = planID
    self.hasDisk = hasDisk
    self.isDeleted = isDeleted
    self.hasOperation = hasOperation
  }
}
