package import Core

/// All that a customer can do with the tokens of an account.
package struct Tokens: Sendable {
  package static let toRead = Permission(.tokens, .read)
  package static let toChange = Permission(.tokens, .write)
  package static let nameRule = TextRule(maximumLength: 255)

  /// A token as a customer asks for it.
  package struct Draft: Sendable {
    package var name: String?
    package var permissions: [String]?
    package var expiresAt: String?
    /// Whether all fields could be read from the request. A field that could not be read is nil.
    package var isWhole: Bool

    package init(name: String?, permissions: [String]?, expiresAt: String?, isWhole: Bool = true) {
      self.name = name
      self.permissions = permissions
      self.expiresAt = expiresAt
      self.isWhole = isWhole
    }
  }

  package struct Created: Sendable {
    package let token: Token
    /// Shown this once, and kept nowhere.
    package let text: TokenText
  }

  private let store: any AccountStore
  private let authenticator: Authenticator
  private let clock: any WallClock
  private let quota: Int?

  /// - Parameter quota: How many tokens an account may have; nil for as many as it likes.
  package init(store: any AccountStore, authenticator: Authenticator, clock: any WallClock, quota: Int? = nil) {
    self.store = store
    self.authenticator = authenticator
    self.clock = clock
    self.quota = quota
  }

  package func list(
    named name: String? = nil, order: [ListOrder<TokenKey>] = [], page: PageRequest = .first, _ caller: Caller
  ) async throws -> Page<Token> {
    try caller.require(Self.toRead)
    return try await store.tokens(of: caller.accountID, named: name, order: order, page: page)
  }

  package func read(_ id: ID<Token>, _ caller: Caller) async throws -> Token {
    try caller.require(Self.toRead)
    return try await find(id, caller)
  }

  /// Throws `notFound` for a session: sessions are tokens of another kind (see `Sessions`).
  private func find(_ id: ID<Token>, _ caller: Caller) async throws -> Token {
    guard let token = try await store.token(id, of: caller.accountID), !token.isSession else {
      throw Failure.notFound
    }
    return token
  }

  package func create(_ draft: Draft, _ caller: Caller) async throws -> Created {
    try caller.require(Self.toChange)
    var errors = FieldErrors()
    Self.nameRule.check(draft.name, .name, &errors)
    let permissions = Self.permissions(draft, caller, &errors)
    let expiresAt = expiry(draft, within: try await longestLife(caller), &errors)
    try errors.throwIfAny(orUnless: draft.isWhole)
    guard let name = draft.name else { throw Failure.internalError("A draft without errors lacks a field.") }
    let text = TokenText.random()
    let token = try await store.createToken(
      NewToken(
        accountID: caller.accountID, name: name, hash: text.hash, permissions: permissions, expiresAt: expiresAt,
        quota: quota),
      by: caller, at: clock.now)
    return Created(token: token, text: text)
  }

  /// When a token that this caller makes expires at the latest; nil for no limit. A token made in a session may outlast the
  /// session, and one that an operator makes for a customer does not depend on the operator's token.
  private func longestLife(_ caller: Caller) async throws -> Timestamp? {
    if caller.isOperating { return nil }
    guard let own = try await store.token(caller.tokenID, of: caller.accountID) else { throw Failure.tokenInvalid }
    return own.isSession ? nil : own.expiresAt
  }

  /// Revokes the token and all tokens that were made with it.
  package func revoke(_ id: ID<Token>, _ caller: Caller) async throws {
    try caller.require(Self.toChange)
    if try await find(id, caller).isForOperators, caller.isOperating {
      throw Failure(
        .permissionDenied, "This token is an operator's: it is revoked on the host only, with vpsd token revoke.")
    }
    let revoked = try await store.revokeToken(id, by: caller, at: clock.now)
    guard !revoked.isEmpty else { throw Failure.notFound }
    authenticator.forget(revoked)
  }

  /// A token may grant only permissions that it has itself. No token grants an operator's permission, not even an operator's
  /// token.
  private static func permissions(_ draft: Draft, _ caller: Caller, _ errors: inout FieldErrors) -> [Permission] {
    guard let words = draft.permissions else { return [] }
    if words.isEmpty { errors.add(.permissions, "This list may not be empty.") }
    var permissions: [Permission] = []
    for word in words {
      guard let permission = Permission(word) else {
        errors.add(.permissions, "\(word.quoted) is not a valid choice.")
        continue
      }
      if permission.resource == .operator {
        errors.add(
          .permissions, "\"\(permission)\" can be granted on the host only, with vpsd token create --operator.")
      } else if !caller.covers(permission) {
        errors.add(.permissions, "Your token may not grant \"\(permission)\".")
      } else if !permissions.contains(permission) {
        permissions.append(permission)
      }
    }
    return permissions
  }

  /// - Parameter limit: When the new token expires at the latest, and by default; nil for no limit.
  private func expiry(_ draft: Draft, within limit: Timestamp?, _ errors: inout FieldErrors) -> Timestamp? {
    guard let text = draft.expiresAt else { return limit }
    guard let time = Timestamp(wireFormat: text) else {
      errors.add(
        .expiry,
        "Datetime has wrong format. Use one of these formats instead: "
          + "YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].")
      return nil
    }
    if time <= clock.now { errors.add(.expiry, "Enter a time in the future.") }
    if let limit, time > limit {
      errors.add(.expiry, "A token may not last longer than the one that makes it.")
    }
    return time
  }
}

extension Caller {
  /// Whether the caller may do all that this permission stands for.
  fileprivate func covers(_ permission: Permission) -> Bool {
    let actions: [Permission.Action] = permission.action == .any ? [.read, .write] : [permission.action]
    return actions.allSatisfy { may(Permission(permission.resource, $0)) }
  }
}
