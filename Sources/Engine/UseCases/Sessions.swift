package import Core

/// Sign-in to the panel: by a link from the operator or from a mail, or by a password that the person has set.
package struct Sessions: Sendable {
  package static let lifetime = Duration.seconds(14 * 86_400)
  package static let linkLifetime = Duration.seconds(600)
  /// In bytes of UTF-8. crypt(3) takes no longer ones.
  package static let passwordBytes = 10...256
  /// Longer, because mail may be slow.
  package static let mailedLinkLifetime = Duration.seconds(3600)
  private static let linkQuota = 20
  private static let shortestMailInterval = Duration.seconds(300)
  private static let mostMailsInADay = 10
  private static let sessionQuota = 50
  private static let nameRule = TextRule(maximumLength: 255)
  private static let longestEmailBytes = 254

  package struct SignedIn: Sendable {
    package let text: SessionText
    package let token: Token
  }

  /// What is recorded of the browser that signs in.
  package struct Browser: Sendable {
    package let name: String
    package let origin: String?

    package init(name: String, origin: String?) {
      self.name = Sessions.nameRule.violation(in: name) == nil ? name : "browser"
      self.origin = origin
    }
  }

  /// Whether people who forgot their password can have a link mailed.
  package let mailsLinks: Bool
  private let store: any SessionStore & AttemptStore
  private let authenticator: Authenticator
  private let clock: any WallClock
  private let passwords = PasswordHasher()
  private let pending: PendingSignIns
  private let wrongTries: WrongTries

  package init(
    store: any SessionStore & AttemptStore, authenticator: Authenticator, clock: any WallClock,
    mailsLinks: Bool = false
  ) {
    self.mailsLinks = mailsLinks
    self.store = store
    pending = PendingSignIns(store: store)
    wrongTries = WrongTries(store: store)
    self.authenticator = authenticator
    self.clock = clock
  }

  /// Nil where there is no such account, it is closed, or nobody waits any more for the mail that the link is for.
  package static func makeLink(
    for account: ID<Account>, _ store: any SessionStore, in mail: NewLoginLink.Mail? = nil,
    by operator: Operator = .host, at now: Timestamp
  ) async throws -> LoginLinkText? {
    let text = LoginLinkText.random()
    let link = NewLoginLink(
      accountID: account, hash: text.hash, expiresAt: now + (mail == nil ? linkLifetime : mailedLinkLifetime),
      quota: linkQuota, mail: mail)
    return try await store.createLoginLink(link, by: `operator`, at: now) ? text : nil
  }

  /// Removes password, second factor and sessions of the account, for a person who has lost them. Returns false where there is
  /// no such account, or it is closed.
  package static func reset(
    _ account: ID<Account>, _ store: any SessionStore, at now: Timestamp
  ) async throws -> Bool {
    try await store.resetSignIn(of: account, at: now)
  }

  package func caller(in session: SessionText) async throws -> Caller { try await authenticator.caller(in: session) }

  /// Has a link mailed to the owner of the account, if there is such an account, without saying whether there is.
  package func askForLink(email: String) async throws {
    guard mailsLinks, email.utf8.count <= Self.longestEmailBytes, let address = EmailAddress(email) else { return }
    try await store.askForLoginLink(
      ofAccount: address.description, notWithin: Self.shortestMailInterval, atMostInADay: Self.mostMailsInADay,
      at: clock.now)
  }

  /// Whether the link was mailed. Mail programs open links, so a mailed one signs in only after the person has agreed.
  package func isMailed(_ text: some StringProtocol) async throws -> Bool {
    guard let link = LoginLinkText(text) else { return false }
    return try await store.mailedLink(link.hash, at: clock.now) != nil
  }

  /// Uses the link up, unless it was mailed and the account has a second factor, which is asked for first. Throws
  /// `credentialsInvalid` for a link that is not valid.
  package func signIn(withLink text: some StringProtocol, _ browser: Browser) async throws -> SignInAnswer {
    guard let link = LoginLinkText(text) else { throw Self.linkInvalid }
    if let mailed = try await store.mailedLink(link.hash, at: clock.now), mailed.needsCode {
      let claim = PendingSignIn.Claim.link(link.hash, mailed.accountID)
      return .needsCode(pending: try await pending.add(mailed.email, claim, at: clock.now))
    }
    return .signedIn(try await begin(link.hash, .none, browser))
  }

  private func begin(_ link: TokenHash, _ proof: FactorProof, _ browser: Browser) async throws -> SignedIn {
    let (session, text) = begin(browser)
    guard let token = try await store.redeemLoginLink(link, proof, for: session, at: clock.now) else {
      throw Self.linkInvalid
    }
    return SignedIn(text: text, token: token)
  }

  /// The answer to a right password, or to a link.
  package enum SignInAnswer: Sendable {
    case signedIn(SignedIn)
    /// A second factor is needed: its code has to be sent with this text, which is valid for a few minutes.
    case needsCode(pending: String)
  }

  /// Throws `credentialsInvalid`, and does not tell whether the account is unknown or the password wrong.
  package func signIn(email: String, password: String, _ browser: Browser) async throws -> SignInAnswer {
    guard email.utf8.count <= Self.longestEmailBytes, !email.utf8.contains(0), Self.isPossible(password) else {
      throw Self.passwordInvalid
    }
    let hash = try await store.passwordHash(ofAccount: email)
    guard try await passwords.isRight(password, for: hash), let hash else { throw Self.passwordInvalid }
    if try await store.secondFactor(ofAccount: email) != nil {
      return .needsCode(pending: try await pending.add(email, .password(hash: hash), at: clock.now))
    }
    return .signedIn(try await begin(email, hash, .none, browser))
  }

  /// - Parameters:
  ///   - code: From an authenticator, or a recovery code.
  ///   - text: The text of `needsCode`. Throws `credentialsMissing` where it is not valid any more.
  package func signIn(code: String, pending text: String, _ browser: Browser) async throws -> SignedIn {
    guard let said = try await pending.attempt(text, at: clock.now) else { throw Failure.credentialsMissing }
    let attempt = try await wrongTries.begin(about: said.email, at: clock.now)
    let factor =
      switch said.claim {
      case .password: try await store.secondFactor(ofAccount: said.email)
      case .link(_, let account): try await store.secondFactor(of: account)
      }
    guard let factor, let proof = proof(code, of: factor) else { throw Self.codeInvalid }
    try await wrongTries.forget(attempt)
    let signedIn =
      switch said.claim {
      case .password(let hash): try await begin(said.email, hash, proof, browser)
      case .link(let hash, _): try await begin(hash, proof, browser)
      }
    try await pending.forget(text)
    return signedIn
  }

  private func begin(
    _ email: String, _ passwordHash: String, _ proof: FactorProof, _ browser: Browser
  ) async throws -> SignedIn {
    let (session, text) = begin(browser)
    let token = try await store.beginSession(
      ofAccount: email, whosePasswordHashIs: passwordHash, proof, session, at: clock.now)
    guard let token else { throw Self.passwordInvalid }
    return SignedIn(text: text, token: token)
  }

  private func proof(_ code: String, of factor: SecondFactor) -> FactorProof? {
    if let step = OneTimeCode(factor.secret)?.step(of: code, at: clock.now, after: factor.lastStep) {
      return .code(step: step)
    }
    guard let hash = Self.recoveryHash(code), factor.recoveryHashes.contains(hash) else { return nil }
    return .recovery(hash: hash)
  }

  /// Throws `invalidFields` where this is not the account's password.
  private func requirePassword(_ password: String, _ caller: Caller) async throws {
    let attempt = try await wrongTries.begin(about: Self.subject(caller), at: clock.now)
    let hash = try await store.passwordHash(of: caller.accountID)
    guard Self.isPossible(password), try await passwords.isRight(password, for: hash) else {
      throw Failure.invalid(.currentPassword, "This is not your password.")
    }
    try await wrongTries.forget(attempt)
  }

  private static func subject(_ caller: Caller) -> String { "account \(caller.accountID)" }

  // MARK: The second factor

  package func hasSecondFactor(_ caller: Caller) async throws -> Bool {
    try requirePerson(caller)
    return try await store.secondFactor(of: caller.accountID) != nil
  }

  /// A new secret to be set up. Nothing is stored yet.
  package static func newSecondFactor() -> OneTimeCode { .random() }

  /// Returns the recovery codes, which are shown this once.
  ///
  /// - Parameter code: What an authenticator with the new secret shows now.
  package func setSecondFactor(
    _ factor: OneTimeCode, code: String, password: String, _ caller: Caller
  ) async throws -> [String] {
    try requirePerson(caller)
    try await requirePassword(password, caller)
    guard let step = factor.step(of: code, at: clock.now, after: 0) else {
      throw Failure.invalid(.code, "This is not what an authenticator with this key shows now.")
    }
    let codes = (0..<Self.recoveryCodeCount).map { _ in Self.newRecoveryCode() }
    let hashes = Set(codes.compactMap(Self.recoveryHash))
    try await store.setSecondFactor(
      SecondFactor(secret: factor.text, lastStep: step, recoveryHashes: hashes), by: caller, at: clock.now)
    return codes
  }

  /// - Parameter code: From the present second factor, or a recovery code.
  package func removeSecondFactor(code: String, _ caller: Caller) async throws {
    try requirePerson(caller)
    guard let factor = try await store.secondFactor(of: caller.accountID) else { return }
    let attempt = try await wrongTries.begin(about: Self.subject(caller), at: clock.now)
    guard proof(code, of: factor) != nil else { throw Failure.invalid(.code, "This code is not right.") }
    try await wrongTries.forget(attempt)
    try await store.setSecondFactor(nil, by: caller, at: clock.now)
  }

  private static let recoveryCodeCount = 10
  private static let recoveryCodeLength = 16

  /// `abcd-efgh-jkmn-pqrs`, of letters and digits that do not look alike: 79 bits.
  private static func newRecoveryCode() -> String {
    let alphabet = Array("abcdefghjkmnpqrstuvwxyz23456789")
    var generator = SystemRandomNumberGenerator()
    let letters = (0..<recoveryCodeLength).map { _ in alphabet.randomElement(using: &generator)! }
    return stride(from: 0, to: recoveryCodeLength, by: 4).map { String(letters[$0..<$0 + 4]) }.joined(separator: "-")
  }

  /// Nil for a text that cannot be a recovery code. Only its letters and digits count, in any case.
  private static func recoveryHash(_ code: String) -> String? {
    guard code.isPlain(atMost: 64) else { return nil }
    let letters = code.lowercased().filter { $0.isLetter || $0.isNumber }
    guard letters.utf8.count == recoveryCodeLength else { return nil }
    return SHA256.hexadecimal(Array("vpsd recovery code\n\(letters)".utf8))
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

  /// Sets or removes the password. All other sessions of the account end.
  ///
  /// - Parameters:
  ///   - current: The present password; needed where there is one.
  ///   - new: Nil to remove the password.
  package func setPassword(_ new: String?, current: String?, _ caller: Caller) async throws {
    try requirePerson(caller)
    let old = try await store.passwordHash(of: caller.accountID)
    if old != nil { try await requirePassword(current ?? "", caller) }
    if let new, !Self.isPossible(new) {
      throw Failure.invalid(
        .password, "Ensure this field has \(Self.passwordBytes.lowerBound) to \(Self.passwordBytes.upperBound) bytes.")
    }
    var hash: String?
    if let new { hash = try await passwords.hash(new) }
    authenticator.forget(try await store.setPassword(hash: hash, expecting: old, by: caller, at: clock.now))
  }

  /// Sign-in data is managed by persons in a session, not by programs with a token.
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
    .credentialsInvalid, "This link is not valid. A link signs in once, and not for long.")
  private static let codeInvalid = Failure(.credentialsInvalid, "This code is not right, or was used already.")
  private static let passwordInvalid = Failure(
    .credentialsInvalid, "E-mail address and password do not belong together.")
}
