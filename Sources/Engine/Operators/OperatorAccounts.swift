package import Core

/// What operators do with accounts: with a command on the host, in the panel, or with a program.
package struct OperatorAccounts: Sendable {
  package typealias Stores = AccountStore & OperatorStore & SessionStore

  /// Rule for the note beside an amount in the ledger, which the customer reads.
  package static let noteRule = TextRule(maximumLength: 255)
  package static let openingCredits = Money.zero...Money.largestWritten

  private let store: any Stores
  private let clock: any WallClock

  package init(store: any Stores, clock: any WallClock) {
    self.store = store
    self.clock = clock
  }

  /// The accounts whose e-mail address begins with `text`; all accounts, newest first, where it is nil.
  package func list(beginning text: String? = nil, after last: ID<Account>? = nil, limit: Int) async throws -> [Account]
  {
    try await store.accounts(beginning: text, after: last, limit: limit)
  }

  package func list(
    _ filter: AccountFilter, order: [ListOrder<AccountKey>] = [], page: PageRequest = .first
  ) async throws -> Page<Account> {
    try await store.accountPage(filter, order: order, page: page)
  }

  package func account(_ id: ID<Account>) async throws -> Account {
    guard let account = try await store.account(id) else { throw Failure.notFound }
    return account
  }

  /// The account with this id or e-mail address; nil where there is none.
  package func find(_ text: String) async throws -> Account? {
    if case .id(let id)? = Reference<Account>(text) { return try await store.account(id) }
    return try await store.account(email: text)
  }

  package func read(_ id: ID<Account>) async throws -> AccountSummary {
    guard let summary = try await store.summary(of: id) else { throw Failure.notFound }
    return summary
  }

  package func hourlyCost(of id: ID<Account>) async throws -> Money { try await store.hourlyCost(of: id) }

  /// Newest first.
  package func ledger(
    of id: ID<Account>, before last: ID<LedgerEntry>? = nil, limit: Int
  ) async throws -> [LedgerEntry] {
    try await store.ledger(of: id, before: last, limit: limit)
  }

  package func create(
    email: String, _ profile: ProfileChange, openingCredit: Money, by operator: Operator
  ) async throws -> Account {
    var errors = FieldErrors()
    Self.check(email: email, &errors)
    Self.check(profile, &errors)
    if !Self.openingCredits.contains(openingCredit) {
      errors.add(.amount, "Enter an amount up to \(Money.largestWritten.decimal).")
    }
    try errors.throwIfAny()
    return try await store.createAccount(
      email: email, profile, openingCredit: openingCredit, by: `operator`, at: clock.now)
  }

  package func update(_ id: ID<Account>, _ change: ProfileChange, by operator: Operator) async throws -> Account {
    try await requireChangeable(id, by: `operator`)
    if change.isOperator != nil, `operator` != .host { throw Failure.operatorsAreForTheHost }
    var errors = FieldErrors()
    if let email = change.email { Self.check(email: email, &errors) }
    Self.check(change, &errors)
    try errors.throwIfAny()
    guard try await store.updateProfile(of: id, change, by: `operator`, at: clock.now),
      let changed = try await store.account(id)
    else { throw Failure.accountClosed(id) }
    return changed
  }

  /// Makes a link that signs in whoever opens it, as the account's owner.
  ///
  /// - Parameter isReset: Whether to remove password, second factor and sessions first, which is allowed on the host only.
  package func makeLink(
    for id: ID<Account>, resetting isReset: Bool = false, by operator: Operator
  ) async throws -> LoginLinkText {
    if isReset, `operator` != .host { throw Failure.permissionDenied }
    try await requireChangeable(id, by: `operator`)
    if isReset, try await !Sessions.reset(id, store, at: clock.now) { throw Failure.accountClosed(id) }
    guard let link = try await Sessions.makeLink(for: id, store, by: `operator`, at: clock.now) else {
      throw Failure.accountClosed(id)
    }
    return link
  }

  /// - Parameter reason: Shown to the customer; nil lifts the suspension.
  package func suspend(_ id: ID<Account>, because reason: String?, by operator: Operator) async throws -> Account {
    try Self.check(reason: reason)
    try await requireChangeable(id, by: `operator`)
    guard try await store.suspend(account: id, because: reason, by: `operator`, at: clock.now),
      let changed = try await store.account(id)
    else { throw Failure.accountClosed(id) }
    return changed
  }

  package func addCredit(
    _ amount: Money, to id: ID<Account>, note: String, by operator: Operator
  ) async throws -> Account {
    var errors = FieldErrors()
    if amount <= .zero || amount > Money.largestWritten {
      errors.add(.amount, "Enter an amount above 0, up to \(Money.largestWritten.decimal).")
    }
    Self.noteRule.check(note, .note, &errors)
    try errors.throwIfAny()
    _ = try await open(id)
    let changed = try await store.addCredit(amount, to: id, note: note, by: `operator`, at: clock.now)
    guard let changed else { throw Failure.accountClosed(id) }
    return changed
  }

  /// Closes the account for good; with `deletingServers`, its servers are deleted too. A program cannot close the account that
  /// its own token belongs to.
  package func close(_ id: ID<Account>, deletingServers: Bool, by operator: Operator) async throws {
    try await requireChangeable(id, by: `operator`)
    if case .program(let caller) = `operator`, caller.accountID == id {
      throw Failure(.wrongState, "This account has the token that you bear: it is closed on the host only.")
    }
    let closed = try await store.closeAccount(
      id, deletingServers: deletingServers, by: `operator`, at: clock.now)
    guard closed != nil else { throw Failure.accountClosed(id) }
  }

  private func open(_ id: ID<Account>) async throws -> Account {
    guard let account = try await store.account(id) else { throw Failure.notFound }
    guard account.closedAt == nil else { throw Failure.accountClosed(id) }
    return account
  }

  /// Throws where the account is missing or closed, or where it is an operator's and the request does not come from the host.
  /// So an operator in the panel can neither act as another operator nor lock all operators out.
  private func requireChangeable(_ id: ID<Account>, by operator: Operator) async throws {
    if try await open(id).isOperator, `operator` != .host { throw Failure.operatorsAreForTheHost }
  }

  private static func check(email: String, _ errors: inout FieldErrors) {
    if !Account.isPossible(email: email) { errors.add(.email, "Enter a valid email address.") }
  }

  private static func check(_ profile: ProfileChange, _ errors: inout FieldErrors) {
    for name in [profile.firstName, profile.lastName, profile.companyName] {
      Account.nameRule.check(name, .name, &errors)
    }
  }

  static func check(reason: String?) throws(Failure) {
    var errors = FieldErrors()
    AccountSuspension.reasonRule.check(reason, .reason, &errors)
    try errors.throwIfAny()
  }
}
