package import Core

/// What a caller may know of itself, whatever else its token is for.
package struct Profiles: Sendable {
  private let store: any AccountStore

  package init(store: any AccountStore) {
    self.store = store
  }

  package func read(_ caller: Caller) async throws -> (account: Account, token: Token) {
    guard let account = try await store.account(caller.accountID),
      let token = try await store.token(caller.tokenID, of: caller.accountID)
    else { throw Failure.tokenInvalid }
    return (account, token)
  }
}
