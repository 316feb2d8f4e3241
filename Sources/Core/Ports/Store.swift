/// What outlives the process. Each method is one transaction that keeps the invariants: an address belongs to one server,
/// a balance is the sum of its ledger and never negative, and a server has at most one running operation.
///
/// Methods that take an account see nothing of any other account. A store throws `Failure` where the customer did
/// something that cannot be, and any other error where the store itself is at fault.
///
/// Whoever asks for something names the part that has it.
package protocol Store:
  InstallationStore, CatalogueStore, HostStore, AccountStore, SessionStore, IdempotencyStore, SSHKeyStore, ServerStore,
  DiskCopyStore,
  FirewallStore, OperationStore, BackupScheduleStore, InventoryStore, EventStore, OperatorStore, BillingStore,
  OfferStore, MetricStore, StatementStore, NoticeStore, UserDataStore, AttemptStore, ConsoleTicketStore, ReplicaStore,
  ReverseNameStore
{}
