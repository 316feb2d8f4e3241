/// Everything that outlives the process. Each method is one transaction that keeps the invariants: an address belongs
/// to one server, a balance is the sum of its ledger and never negative, and a server has at most one running
/// operation.
///
/// Methods that take an account see nothing of any other account. A store throws `Failure` if the customer asked for
/// something impossible, and any other error if the store itself is at fault.
///
/// Code that needs only a part of the store takes the protocol of that part.
package protocol Store:
  InstallationStore, CatalogueStore, HostStore, AccountStore, SessionStore, IdempotencyStore, SSHKeyStore, ServerStore,
  DiskCopyStore,
  FirewallStore, OperationStore, BackupScheduleStore, InventoryStore, EventStore, OperatorStore, BillingStore,
  OfferStore, MetricStore, StatementStore, NoticeStore, UserDataStore, AttemptStore, ConsoleTicketStore, ReplicaStore,
  ReverseNameStore, PasswordResetStore
{}
