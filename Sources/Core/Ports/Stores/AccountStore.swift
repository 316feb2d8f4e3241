/// Accounts and their tokens, for those who log in with one.
package protocol AccountStore: Sendable {
  func account(_ id: ID<Account>) async throws -> Account?
  /// What all its servers cost in an hour, as they are now.
  func hourlyCost(of account: ID<Account>) async throws -> Money
  func token(hash: TokenHash) async throws -> Token?
  func recordTokenUse(_ uses: [ID<Token>: Timestamp]) async throws

  /// Those of an account that were not revoked; only those of this name, whatever the case of its letters, where there is
  /// one. Throws `notFound` where there is no such page.
  func tokens(
    of account: ID<Account>, named name: String?, order: [ListOrder<TokenKey>], page: PageRequest
  ) async throws -> Page<Token>
  func token(_ id: ID<Token>, of account: ID<Account>) async throws -> Token?
  /// The new token is the child of the caller's. Throws `credentialsInvalid` where that is not valid any more, and
  /// `permissionDenied` beyond the account's quota; tokens that have expired make room.
  func createToken(_ token: NewToken, by caller: Caller, at now: Timestamp) async throws -> Token
  /// Revokes with it all that were made with it, and returns all of them: none where the caller's account has no such token,
  /// or has revoked it.
  func revokeToken(_ id: ID<Token>, by caller: Caller, at now: Timestamp) async throws -> [ID<Token>]
}
