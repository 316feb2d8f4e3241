/// Everybody's accounts, tokens and servers, for the operator: without a caller, and the audit trail says so. What is done by a
/// person who has lost the right to it meanwhile throws `notFound`, and what only the host does to an account that has become an
/// operator's meanwhile, `permissionDenied`.
package protocol OperatorStore: Sendable {
  /// In the order of their ids, those after this one; of so many at most.
  func accounts(after id: ID<Account>?, limit: Int) async throws -> [Account]
  /// Those whose e-mail address begins so, whatever the case of its letters, in the order of the addresses; nil for all of them,
  /// newest first. Those after this one; of so many at most.
  func accounts(beginning text: String?, after last: ID<Account>?, limit: Int) async throws -> [Account]
  func account(email: String) async throws -> Account?
  /// Those that the filter lets through, in the order of the keys. Throws `notFound` where there is no such page.
  func accountPage(_ filter: AccountFilter, order: [ListOrder<AccountKey>], page: PageRequest) async throws
    -> Page<Account>
  /// Throws `invalidFields` where another account has this email.
  func createAccount(
    email: String, _ profile: ProfileChange, openingCredit: Money, by operator: Operator, at now: Timestamp
  ) async throws -> Account
  func summary(of account: ID<Account>) async throws -> AccountSummary?
  /// Revokes its tokens, removes its keys, and erases all that is personal; ledger and audit trail stay. Its servers are
  /// deleted where that is wanted; otherwise this throws `wrongState` while there are any. Returns nil where there is no such
  /// account, or it is closed already.
  func closeAccount(
    _ id: ID<Account>, deletingServers: Bool, by operator: Operator, at now: Timestamp
  ) async throws -> Account?
  /// Adds to what the account has; where that is enough, it is out of credit no more. Throws `invalidFields` beyond what an
  /// account can have. Returns the account as it is then; nil where there is none, or it is closed.
  func addCredit(
    _ amount: Money, to account: ID<Account>, note: String, by operator: Operator, at now: Timestamp
  ) async throws -> Account?
  /// Says that the time of day is right, after it has jumped. Returns when it was last believed; nil where it never was.
  func confirmBillingClock(at now: Timestamp) async throws -> Timestamp?
  func isBillingClockDoubted(at now: Timestamp) async throws -> Bool
  /// Nil for the reason lifts what the operator has said, and nothing else. Returns false where there is no such account, or it is
  /// closed.
  func suspend(
    account: ID<Account>, because reason: String?, by operator: Operator, at now: Timestamp
  ) async throws -> Bool
  /// The same for one server. Returns false where there is none.
  func suspend(
    server id: ID<Server>, because reason: String?, by operator: Operator, at now: Timestamp
  ) async throws -> Bool
  /// What the ledger says of an account, added up entry by entry: a line for each contradiction.
  func ledgerFaults(of account: ID<Account>) async throws -> (entryCount: Int, faults: [String])
  /// Returns false where there is no such account, or it is closed. Throws `invalidFields` where another one has this email,
  /// and `preconditionFailed` where its own is not the expected one. One that becomes an operator's loses password, second factor,
  /// links and sessions.
  func updateProfile(
    of account: ID<Account>, _ change: ProfileChange, by operator: Operator, at now: Timestamp
  ) async throws -> Bool

  /// In the order of their ids, those after this one; of so many at most.
  /// - Parameter account: Those of this one only; nil for all.
  func tokens(of account: ID<Account>?, after id: ID<Token>?, limit: Int) async throws -> [Token]
  func token(_ id: ID<Token>) async throws -> Token?
  /// The ids of those with this name that were not revoked; of so many at most.
  func tokenIDs(named name: String, limit: Int) async throws -> [ID<Token>]
  func createToken(_ token: NewToken, at now: Timestamp) async throws -> Token
  /// Revokes with it all that were made with it. Returns false where there is no such token. Revoking one again changes
  /// nothing.
  func revokeToken(_ id: ID<Token>, at now: Timestamp) async throws -> Bool

  /// In the order of their ids, those after this one that are not erased; of so many at most.
  func allServers(after id: ID<Server>?, limit: Int) async throws -> [Server]
  /// The same of those that the filter lets through, with whose they are and where.
  func serverListings(
    _ filter: ServerListingFilter, after id: ID<Server>?, limit: Int
  ) async throws -> [ServerListing]
  /// The same, newest first; by their names where the filter says how those begin. Those after this one.
  func serverPage(_ filter: ServerListingFilter, after last: ID<Server>?, limit: Int) async throws -> [ServerListing]
  /// The same of those that their customers see, in the order of the keys. Throws `notFound` where there is no such page.
  func serverPage(
    _ filter: ServerListingFilter, order: [ListOrder<ServerKey>], page: PageRequest
  ) async throws -> Page<ServerListing>
  func serverListing(_ reference: Reference<Server>) async throws -> ServerListing?
  /// The ids of those with this name that are not erased, whatever the case of its letters; of so many at most.
  func serverIDs(named name: String, limit: Int) async throws -> [ID<Server>]
  /// As for a customer: see `ServerStore`. Returns nil where there is no such server, or it is deleted.
  func requestAction(
    _ action: PowerAction, on id: ID<Server>, by operator: Operator, at now: Timestamp
  ) async throws -> Server?
  /// As for a customer: see `ServerStore`. Returns false where there is no such server, or it is deleted.
  func requestDeletion(of id: ID<Server>, by operator: Operator, at now: Timestamp) async throws -> Bool

  /// In their order, those of IPv4 first, those after this one; of so many at most.
  func addresses(after last: ServerAddress?, limit: Int) async throws -> [AddressRecord]
  /// Gives a server one more, and queues what brings it there. Throws `wrongState`, `conflict` for one that is not free,
  /// `unprocessable` for one that is in no pool, `permissionDenied` beyond the limit, or `noCapacity`. Returns nil where there is
  /// no such server, or it is deleted.
  ///
  /// - Parameter limit: How many addresses a server may have.
  func addAddress(
    _ wanted: WantedAddress, to id: ID<Server>, pools: AddressPools.Pair, limit: Int, at now: Timestamp
  ) async throws -> AddressChange?
  /// Takes one from a server, and queues what takes it away there; until then it is nobody else's. Throws `unprocessable` where
  /// the server has no such address, or it is its last one of IPv4. Returns nil where there is no such server, or it is deleted.
  func removeAddress(_ address: ServerAddress, from id: ID<Server>, at now: Timestamp) async throws -> AddressChange?
  /// From now on nobody is given these; whoever has one keeps it. All of them, or none.
  ///
  /// - Parameter locations: Of whose pool each is, in the same order.
  func reserveAddresses(_ addresses: [ServerAddress], at locations: [String], at now: Timestamp) async throws
  /// The reverse. Throws `unprocessable` where one of them is not reserved; then none is released.
  func endReservation(of addresses: [ServerAddress], at now: Timestamp) async throws
  /// Newest first.
  func tenures(of address: ServerAddress, newest count: Int) async throws -> [AddressTenure]
  /// What was changed and asked for, newest first: what was before this, of so many entries at most.
  func auditTrail(_ filter: AuditFilter, before id: ID<AuditEntry>?, limit: Int) async throws -> [AuditEntry]
  /// The same by pages. Throws `notFound` where there is no such page.
  func auditPage(_ filter: AuditFilter, isNewestFirst: Bool, page: PageRequest) async throws -> Page<AuditEntry>
  /// The ledger of an account, in the same way.
  func ledger(of account: ID<Account>, before id: ID<LedgerEntry>?, limit: Int) async throws -> [LedgerEntry]
  /// In the order of the systems, and of the versions of each.
  func systemUses() async throws -> [SystemUse]
  /// The newest of a server that failed.
  func lastFailure(of id: ID<Server>) async throws -> Operation?
  /// The history of a server, oldest first.
  func operations(of id: ID<Server>) async throws -> [Operation]
  /// All of a server that may have a file, ordered by id.
  func diskCopies(of server: ID<Server>) async throws -> [DiskCopy]
}

/// The same on the host.
extension OperatorStore {
  package func createAccount(email: String, openingCredit: Money, at now: Timestamp) async throws -> Account {
    try await createAccount(email: email, ProfileChange(), openingCredit: openingCredit, by: .host, at: now)
  }

  package func addCredit(_ amount: Money, to email: String, note: String, at now: Timestamp) async throws -> Account? {
    guard let account = try await self.account(email: email) else { return nil }
    return try await addCredit(amount, to: account.id, note: note, by: .host, at: now)
  }

  package func closeAccount(
    _ id: ID<Account>, deletingServers: Bool, at now: Timestamp
  ) async throws -> Account? {
    try await closeAccount(id, deletingServers: deletingServers, by: .host, at: now)
  }

  package func suspend(accountOf email: String, because reason: String?, at now: Timestamp) async throws -> Bool {
    guard let account = try await self.account(email: email) else { return false }
    return try await suspend(account: account.id, because: reason, by: .host, at: now)
  }

  package func suspend(server id: ID<Server>, because reason: String?, at now: Timestamp) async throws -> Bool {
    try await suspend(server: id, because: reason, by: .host, at: now)
  }

  package func updateProfile(of account: ID<Account>, _ change: ProfileChange, at now: Timestamp) async throws -> Bool {
    try await updateProfile(of: account, change, by: .host, at: now)
  }

  package func requestAction(_ action: PowerAction, on id: ID<Server>, at now: Timestamp) async throws -> Server? {
    try await requestAction(action, on: id, by: .host, at: now)
  }

  package func requestDeletion(of id: ID<Server>, at now: Timestamp) async throws -> Bool {
    try await requestDeletion(of: id, by: .host, at: now)
  }
}
