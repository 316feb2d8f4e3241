package import Core

/// What a caller may know of its own account and token, whatever its permissions.
package struct Profiles: Sendable {
  package struct Profile: Sendable {
    package let account: Account
    package let token: Token
    package let currency: String
    /// What all its servers, as they are now, cost an hour.
    package let hourlyCost: Money
  }

  private let store: any AccountStore
  /// The currency of all amounts.
  package let currency: String

  package init(store: any AccountStore, currency: String = Tariff().currency) {
    self.store = store
    self.currency = currency
  }

  /// The account alone, without the cost of its servers, which would have to be added up.
  package func account(_ caller: Caller) async throws -> Account {
    guard let account = try await store.account(caller.accountID) else { throw Failure.tokenInvalid }
    return account
  }

  package func hourlyCost(_ caller: Caller) async throws -> Money {
    try caller.require(Statements.toRead)
    return try await store.hourlyCost(of: caller.accountID)
  }

  package func read(_ caller: Caller) async throws -> Profile {
    guard let account = try await store.account(caller.accountID),
      let token = try await store.token(caller.tokenID, of: caller.accountID)
    else { throw Failure.tokenInvalid }
    return Profile(
      account: account, token: token, currency: currency, hourlyCost: try await store.hourlyCost(of: account.id))
  }
}
