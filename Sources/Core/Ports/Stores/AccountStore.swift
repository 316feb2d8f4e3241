/// Accounts and their tokens, as their customers see them.
package protocol AccountStore: Sendable {
  func account(_ id: ID<Account>) async throws -> Account?
  /// The cost of all its servers for an hour, as they are now.
  func hourlyCost(of account: ID<Account>) async throws -> Money
  func token(hash: TokenHash) async throws -> Token?
  func recordTokenUse(_ uses: [ID<Token>: Timestamp]) async throws

  /// The account's tokens that are not revoked; with a name, only those that have it, ignoring case. Throws `notFound`
  /// if there is no such page.
  func tokens(
    of account: ID<Account>, named name: String?, order: [ListOrder<TokenKey>], page: PageRequest
  ) async throws -> Page<Token>
  func token(_ id: ID<Token>, of account: ID<Account>) async throws -> Token?
  /// The caller's token becomes the parent of the new one, unless the caller is a session or an operator. Throws
  /// `credentialsInvalid` if the caller's token is not valid any more, and `permissionDenied` beyond the account's
  /// quota; expired tokens are revoked to make room.
  func createToken(_ token: NewToken, by caller: Caller, at now: Timestamp) async throws -> Token
  /// Also revokes all tokens that were made with it. Returns all that were revoked: none if the caller's account has no
  /// such token, or if it was revoked before.
  func revokeToken(_ id: ID<Token>, by caller: Caller, at now: Timestamp) async throws -> [ID<Token>]
}
