/// Everybody's accounts, tokens and servers, for the operator: without a caller, and the audit trail says so.
package protocol OperatorStore: Sendable {
  /// In the order of their ids, those after this one; of so many at most.
  func accounts(after id: ID<Account>?, limit: Int) async throws -> [Account]
  func account(email: String) async throws -> Account?
  func createAccount(email: String, openingCredit: Money, at now: Timestamp) async throws -> Account
  /// Adds to what the account has; where that is enough, it is out of credit no more. Throws `invalidFields` beyond what an
  /// account can have. Returns the account as it is then; nil where there is none.
  func addCredit(_ amount: Money, to email: String, note: String, at now: Timestamp) async throws -> Account?
  /// Says that the time of day is right, after it has jumped. Returns when it was last believed; nil where it never was.
  func confirmBillingClock(at now: Timestamp) async throws -> Timestamp?
  func isBillingClockDoubted(at now: Timestamp) async throws -> Bool
  /// Nil for the reason lifts what the operator has said, and nothing else. Returns false where there is no such account.
  func suspend(accountOf email: String, because reason: String?, at now: Timestamp) async throws -> Bool
  /// The same for one server. Returns false where there is none.
  func suspend(server id: ID<Server>, because reason: String?, at now: Timestamp) async throws -> Bool
  /// What the ledger says of an account, added up entry by entry: a line for each contradiction.
  func ledgerFaults(of account: ID<Account>) async throws -> (entryCount: Int, faults: [String])
  /// Returns false where there is no such account.
  func updateProfile(of account: ID<Account>, _ change: ProfileChange, at now: Timestamp) async throws -> Bool

  /// In the order of their ids, those after this one; of so many at most.
  func tokens(after id: ID<Token>?, limit: Int) async throws -> [Token]
  func createToken(_ token: NewToken, at now: Timestamp) async throws -> Token
  /// Revokes with it all that were made with it. Returns false where there is no such token. Revoking one again changes
  /// nothing.
  func revokeToken(_ id: ID<Token>, at now: Timestamp) async throws -> Bool

  /// In the order of their ids, those after this one that are not erased; of so many at most.
  func allServers(after id: ID<Server>?, limit: Int) async throws -> [Server]
  /// In their order, those after this one; of so many at most.
  func addresses(after last: IPv4Address?, limit: Int) async throws -> [AddressRecord]
  /// Newest first.
  func tenures(of address: IPv4Address, newest count: Int) async throws -> [AddressTenure]
  /// The newest of a server that failed.
  func lastFailure(of id: ID<Server>) async throws -> Operation?
  /// The history of a server, oldest first.
  func operations(of id: ID<Server>) async throws -> [Operation]
  /// All of a server that may have a file, ordered by id.
  func diskCopies(of server: ID<Server>) async throws -> [DiskCopy]
}
