/// Everybody's accounts, tokens and servers, for the operator, whom the audit trail records instead of a caller. A
/// method throws `notFound` for a person who has lost the operator's right meanwhile, `credentialsInvalid` for a
/// program whose token is not valid any more, and `permissionDenied` if the account has become an operator's and only
/// the host may change it.
package protocol OperatorStore: Sendable {
  /// The accounts after this one, in the order of their ids; at most `limit`.
  func accounts(after id: ID<Account>?, limit: Int) async throws -> [Account]
  /// The accounts whose e-mail address begins with the text, ignoring case, in the order of the addresses; with nil,
  /// all accounts, newest first. Only those after this one; at most `limit`.
  func accounts(beginning text: String?, after last: ID<Account>?, limit: Int) async throws -> [Account]
  func account(email: String) async throws -> Account?
  /// The accounts that match the filter, sorted as requested. Throws `notFound` if there is no such page.
  func accountPage(_ filter: AccountFilter, order: [ListOrder<AccountKey>], page: PageRequest) async throws
    -> Page<Account>
  /// Throws `invalidFields` if another account has this e-mail address.
  func createAccount(
    email: String, _ profile: ProfileChange, openingCredit: Money, by operator: Operator, at now: Timestamp
  ) async throws -> Account
  func summary(of account: ID<Account>) async throws -> AccountSummary?
  /// Revokes its tokens, removes its keys, and erases all personal data; ledger and audit trail stay. With
  /// `deletingServers`, its servers are deleted; otherwise this throws `wrongState` while there are any. Returns nil if
  /// there is no such account, or if it is closed already.
  func closeAccount(
    _ id: ID<Account>, deletingServers: Bool, by operator: Operator, at now: Timestamp
  ) async throws -> Account?
  /// Adds to the account's balance, and ends its credit suspension if the balance suffices. Throws `unprocessable`
  /// beyond the largest balance an account can have. Returns the account after that; nil if there is none, or if it is
  /// closed.
  func addCredit(
    _ amount: Money, to account: ID<Account>, note: String, by operator: Operator, at now: Timestamp
  ) async throws -> Account?
  /// Confirms that the time of day is right, after it has jumped. Returns the time last recorded for billing; nil if
  /// there is none.
  func confirmBillingClock(at now: Timestamp) async throws -> Timestamp?
  func isBillingClockDoubted(at now: Timestamp) async throws -> Bool
  /// Suspends the account; nil as the reason ends this suspension, and no other. Returns false if there is no such
  /// account, or if it is closed.
  func suspend(
    account: ID<Account>, because reason: String?, by operator: Operator, at now: Timestamp
  ) async throws -> Bool
  /// The same for one server. Returns false if there is none.
  func suspend(
    server id: ID<Server>, because reason: String?, by operator: Operator, at now: Timestamp
  ) async throws -> Bool
  /// Adds up the account's ledger entry by entry. Returns the number of entries, and a line for each contradiction.
  func ledgerFaults(of account: ID<Account>) async throws -> (entryCount: Int, faults: [String])
  /// Returns false if there is no such account, or if it is closed. Throws `invalidFields` if another account has this
  /// e-mail address, and `preconditionFailed` if the account's own is not the expected one. An account that becomes an
  /// operator's loses its password, second factor, login links and sessions.
  func updateProfile(
    of account: ID<Account>, _ change: ProfileChange, by operator: Operator, at now: Timestamp
  ) async throws -> Bool

  /// The tokens after this one, in the order of their ids; at most `limit`.
  /// - Parameter account: Only tokens of this account; nil for all.
  func tokens(of account: ID<Account>?, after id: ID<Token>?, limit: Int) async throws -> [Token]
  func token(_ id: ID<Token>) async throws -> Token?
  /// The ids of tokens with this name that are not revoked; at most `limit`.
  func tokenIDs(named name: String, limit: Int) async throws -> [ID<Token>]
  func createToken(_ token: NewToken, at now: Timestamp) async throws -> Token
  /// Also revokes all tokens that were made with it. Returns false if there is no such token. Revoking a token again
  /// changes nothing.
  func revokeToken(_ id: ID<Token>, at now: Timestamp) async throws -> Bool

  /// The servers after this one that are not erased, in the order of their ids; at most `limit`.
  func allServers(after id: ID<Server>?, limit: Int) async throws -> [Server]
  /// The same servers with their accounts and hosts, if they match the filter.
  func serverListings(
    _ filter: ServerListingFilter, after id: ID<Server>?, limit: Int
  ) async throws -> [ServerListing]
  /// The same, newest first, or by name if the filter has a beginning of names; those after this server.
  func serverPage(_ filter: ServerListingFilter, after last: ID<Server>?, limit: Int) async throws -> [ServerListing]
  /// The servers that customers can see and that match the filter, sorted as requested. Throws `notFound` if there is
  /// no such page.
  func serverPage(
    _ filter: ServerListingFilter, order: [ListOrder<ServerKey>], page: PageRequest
  ) async throws -> Page<ServerListing>
  func serverListing(_ reference: Reference<Server>) async throws -> ServerListing?
  /// The ids of servers with this name, ignoring case, that are not erased; at most `limit`.
  func serverIDs(named name: String, limit: Int) async throws -> [ID<Server>]
  /// As for a customer: see `ServerStore`. Returns nil if there is no such server, or if it is deleted.
  func requestAction(
    _ action: PowerAction, on id: ID<Server>, by operator: Operator, at now: Timestamp
  ) async throws -> Server?
  /// As for a customer: see `ServerStore`. Returns false if there is no such server, or if it is deleted.
  func requestDeletion(of id: ID<Server>, by operator: Operator, at now: Timestamp) async throws -> Bool

  /// The addresses after this one in ascending order, IPv4 before IPv6; at most `limit`.
  func addresses(after last: ServerAddress?, limit: Int) async throws -> [AddressRecord]
  /// Gives a server one more address, and queues the operation that applies it. Throws `wrongState` if no machine was
  /// made of the server, `conflict` for an address that is not free, `unprocessable` for one that is in no pool,
  /// `permissionDenied` beyond the limit, or `noCapacity`. Returns nil if there is no such server, or if it is deleted.
  ///
  /// - Parameter limit: How many addresses a server may have.
  func addAddress(
    _ wanted: WantedAddress, to id: ID<Server>, pools: AddressPools.Pair, limit: Int, at now: Timestamp
  ) async throws -> AddressChange?
  /// Takes an address from a server, and queues the operation that applies this; until then nobody else gets it. Throws
  /// `notFound` if the server has no such address, `conflict` if it is being taken already, and `wrongState` if it is
  /// the server's last IPv4 address. Returns nil if there is no such server, or if it is deleted.
  func removeAddress(_ address: ServerAddress, from id: ID<Server>, at now: Timestamp) async throws -> AddressChange?
  /// From now on these addresses are given to nobody; servers that have one keep it. All are reserved, or none.
  ///
  /// - Parameter locations: The location of each address's pool, in the same order.
  func reserveAddresses(_ addresses: [ServerAddress], at locations: [String], at now: Timestamp) async throws
  /// Ends reservations. Throws `unprocessable` if one of the addresses is not reserved; then none is released.
  func endReservation(of addresses: [ServerAddress], at now: Timestamp) async throws
  /// Newest first.
  func tenures(of address: ServerAddress, newest count: Int) async throws -> [AddressTenure]
  /// The audit entries before this one, newest first; at most `limit`.
  func auditTrail(_ filter: AuditFilter, before id: ID<AuditEntry>?, limit: Int) async throws -> [AuditEntry]
  /// The same in pages. Throws `notFound` if there is no such page.
  func auditPage(_ filter: AuditFilter, isNewestFirst: Bool, page: PageRequest) async throws -> Page<AuditEntry>
  /// The ledger entries of an account before this one, newest first; at most `limit`.
  func ledger(of account: ID<Account>, before id: ID<LedgerEntry>?, limit: Int) async throws -> [LedgerEntry]
  /// Ordered by operating system, then by image version.
  func systemUses() async throws -> [SystemUse]
  /// The server's newest operation that failed.
  func lastFailure(of id: ID<Server>) async throws -> Operation?
  /// The history of a server, oldest first.
  func operations(of id: ID<Server>) async throws -> [Operation]
  /// All copies of a server that may still have a file, ordered by id.
  func diskCopies(of server: ID<Server>) async throws -> [DiskCopy]
}

/// The same methods for commands on the host.
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
