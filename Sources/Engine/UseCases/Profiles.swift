package import Core

/// What a caller may know of itself, whatever else its token is for.
package struct Profiles: Sendable {
  package struct Profile: Sendable {
    package let account: Account
    package let token: Token
    package let currency: String
    /// Of all its servers, as they are now.
    package let hourlyCost: Money
  }

  private let store: any AccountStore
  private let currency: String

  package init(store: any AccountStore, currency: String = Tariff().currency) {
    self.store = store
    self.currency = currency
  }

  package func read(_ caller: Caller) async throws -> Profile {
    guard let account = try await store.account(caller.accountID),
      let token = try await store.token(caller.tokenID, of: caller.accountID)
    else { throw Failure.tokenInvalid }
    return Profile(
      account: account, token: token, currency: currency, hourlyCost: try await store.hourlyCost(of: account.id))
  }
}
