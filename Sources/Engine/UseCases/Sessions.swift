package import Core

/// Persons who sign in to the panel: by a link that the operator gives them, or by a password that they set themselves.
package struct Sessions: Sendable {
  package static let lifetime = Duration.seconds(14 * 86_400)
  package static let linkLifetime = Duration.seconds(600)
  /// In bytes of UTF-8; what is longer, crypt(3) does not take.
  package static let passwordBytes = 10...256
  private static let linkQuota = 20
  private static let sessionQuota = 50
  private static let nameRule = TextRule(maximumLength: 255)
  private static let longestEmailBytes = 254

  package struct SignedIn: Sendable {
    package let text: SessionText
    package let token: Token
  }

  /// Whose browser it is.
  package struct Browser: Sendable {
    package let name: String
    package let origin: String?

    package init(name: String, origin: String?) {
      self.name = Sessions.nameRule.violation(in: name) == nil ? name : ""
      self.origin = origin
    }
  }

  private let store: any SessionStore
  private let authenticator: Authenticator
  private let clock: any WallClock
  private let passwords = PasswordHasher()

  package init(store: any SessionStore, authenticator: Authenticator, clock: any WallClock) {
    self.store = store
    self.authenticator = authenticator
    self.clock = clock
  }

  /// Nil where there is no such account, or it is closed.
  package static func makeLink(
    for account: ID<Account>, _ store: any SessionStore, at now: Timestamp
  ) async throws -> LoginLinkText? {
    let text = LoginLinkText.random()
    let link = NewLoginLink(
      accountID: account, hash: text.hash, expiresAt: now + linkLifetime, quota: linkQuota)
    return try await store.createLoginLink(link, at: now) ? text : nil
  }

  package func caller(in session: SessionText) async throws -> Caller { try await authenticator.caller(in: session) }

  /// Uses the link up. Throws `credentialsInvalid` for one that is not good any more, or never was.
  package func signIn(withLink text: some StringProtocol, _ browser: Browser) async throws -> SignedIn {
    guard let link = LoginLinkText(text) else { throw Self.linkInvalid }
    let (session, text) = begin(browser)
    guard let token = try await store.redeemLoginLink(link.hash, for: session, at: clock.now) else {
      throw Self.linkInvalid
    }
    return SignedIn(text: text, token: token)
  }

  /// Throws `credentialsInvalid` where that is no password of this account, and says no more.
  package func signIn(email: String, password: String, _ browser: Browser) async throws -> SignedIn {
    guard email.utf8.count <= Self.longestEmailBytes, Self.isPossible(password) else { throw Self.passwordInvalid }
    let hash = try await store.passwordHash(ofAccount: email)
    guard try await passwords.isRight(password, for: hash), let hash else { throw Self.passwordInvalid }
    let (session, text) = begin(browser)
    let token = try await store.beginSession(
      ofAccount: email, whosePasswordHashIs: hash, session, at: clock.now)
    guard let token else { throw Self.passwordInvalid }
    return SignedIn(text: text, token: token)
  }

  package func list(_ caller: Caller) async throws -> [Token] {
    try requirePerson(caller)
    return try await store.sessions(of: caller.accountID, at: clock.now)
  }

  package func end(_ id: ID<Token>, _ caller: Caller) async throws {
    try requirePerson(caller)
    guard try await store.endSession(id, by: caller, at: clock.now) else { throw Failure.notFound }
    authenticator.forget([id])
  }

  package func hasPassword(_ caller: Caller) async throws -> Bool {
    try requirePerson(caller)
    return try await store.passwordHash(of: caller.accountID) != nil
  }

  /// All other sessions of the account end.
  ///
  /// - Parameters:
  ///   - current: The one that there is; needed where there is one.
  ///   - new: Nil for none.
  package func setPassword(_ new: String?, current: String?, _ caller: Caller) async throws {
    try requirePerson(caller)
    let old = try await store.passwordHash(of: caller.accountID)
    if let old {
      guard let current, Self.isPossible(current), try await passwords.isRight(current, for: old) else {
        throw Failure.invalid(.currentPassword, "This is not your password.")
      }
    }
    if let new, !Self.isPossible(new) {
      throw Failure.invalid(
        .password, "Ensure this field has \(Self.passwordBytes.lowerBound) to \(Self.passwordBytes.upperBound) bytes.")
    }
    var hash: String?
    if let new { hash = try await passwords.hash(new) }
    authenticator.forget(try await store.setPassword(hash: hash, expecting: old, by: caller, at: clock.now))
  }

  /// What a program has is no matter of these.
  private func requirePerson(_ caller: Caller) throws(Failure) {
    guard caller.principal.kind == .session else { throw .permissionDenied }
  }

  private func begin(_ browser: Browser) -> (NewSession, SessionText) {
    let text = SessionText.random()
    let session = NewSession(
      hash: text.hash, name: browser.name, expiresAt: clock.now + Self.lifetime, quota: Self.sessionQuota,
      origin: browser.origin)
    return (session, text)
  }

  private static func isPossible(_ password: String) -> Bool {
    passwordBytes.contains(password.utf8.count) && !password.utf8.contains(0)
  }

  private static let linkInvalid = Failure(
    .credentialsInvalid, "This link is not valid. A link signs in once, within ten minutes.")
  private static let passwordInvalid = Failure(
    .credentialsInvalid, "E-mail address and password do not belong together.")
}
