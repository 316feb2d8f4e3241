import API
import ArgumentParser
import Core
import Engine

struct TokenCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "token", abstract: "Bearer tokens for the API.", subcommands: [Create.self, List.self, Revoke.self])

  struct Create: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Make a token and show it, this once.")

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions
    @Option(help: "What the token is for.") var name: String
    @Option(help: "The e-mail address or id of the account; may be left out where there is only one.") var account:
      String?
    @Option(
      name: .customLong("permission"),
      help: "servers:read, servers:*, ssh_keys:*, *:* and the like; may be given several times. *:*, if left out.")
    var permissions: [String] = []
    @Flag(
      name: .customLong("operator"), help: "For an operator: with operator:*, and what --permission says beside it.")
    var isForOperators = false
    @Option(help: "After how many days the token expires; never, if left out.") var expiresInDays: Int?

    func validate() throws {
      for text in permissions {
        guard let permission = Permission(text) else {
          let resources = Permission.Resource.allCases.filter { $0 != .operator }.map(\.rawValue)
          throw ValidationError(
            "--permission \(text): write resource:action, with a resource of \(resources.joined(separator: ", ")) "
              + "and read, write or *.")
        }
        if permission.resource == .operator {
          throw ValidationError("--permission \(text): only --operator makes a token for operators.")
        }
      }
      try requireRule(Tokens.nameRule, name, "--name")
      if let expiresInDays, !(1...36_500).contains(expiresInDays) {
        throw ValidationError("--expires-in-days: 1 to 36500.")
      }
    }

    private var grants: [Permission] {
      let named = permissions.compactMap { Permission($0) }
      if isForOperators { return [Permission(.operator, .any)] + named }
      return named.isEmpty ? [.everything] : named
    }

    func run() async throws {
      let store = try await options.openStore()
      let clock = SystemClock()
      let account = try await Accounts(store: store).open(named: account)
      let text = TokenText.random()
      let token = try await store.createToken(
        NewToken(
          accountID: account.id, name: name, hash: text.hash, permissions: grants,
          expiresAt: expiresInDays.map { clock.now + .seconds($0 * 86_400) }),
        at: clock.now)
      output.tell(
        "Token \(token.id) of \(account.email.escaped()), shown this once:\n\n  \(text.text)\n",
        TokenRecord(token: token, email: account.email, at: clock.now, text: text.text))
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List all tokens; their text is not kept.")

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions
    @Option(help: "Of this account only, by its e-mail address or id.") var account: String?

    func run() async throws {
      let store = try await options.openStore()
      let now = SystemClock().now
      let owner: Account? =
        if let account { try await Accounts(store: store).one(named: account) } else { nil }
      try await output.list { (last: TokenRecord?, limit: Int) in
        var records: [TokenRecord] = []
        for token in try await store.tokens(of: owner?.id, after: last?.token.id, limit: limit) {
          let email = try await store.account(token.accountID)?.email ?? "?"
          records.append(TokenRecord(token: token, email: email, at: now))
        }
        return records
      }
    }
  }

  struct Revoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Revoke a token, and all that were made with it; the service refuses them within a second.")

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: "The token's id, or its name.") var token: String

    func run() async throws {
      let store = try await options.openStore()
      let id = try await Self.id(of: token, store)
      let clock = SystemClock()
      guard try await store.revokeToken(id, at: clock.now), let revoked = try await store.token(id) else {
        throw Refusal.noSuch("There is no token \(id).")
      }
      let email = try await store.account(revoked.accountID)?.email ?? "?"
      output.tell(
        "Token \(id) is revoked, with all that were made with it.",
        TokenRecord(token: revoked, email: email, at: clock.now))
    }

    private static func id(of text: String, _ store: any OperatorStore) async throws -> ID<Token> {
      if case .id(let id)? = Reference<Token>(text), try await store.token(id) != nil { return id }
      let missing = Refusal.noSuch("There is no token \(text.quoted): see `vpsd token list`.")
      guard Tokens.nameRule.violation(in: text) == nil else { throw missing }
      let ids = try await store.tokenIDs(named: text, limit: 11)
      guard let id = ids.first else { throw missing }
      guard ids.count == 1 else {
        let list = ids.prefix(10).map(\.description).joined(separator: ", ") + (ids.count > 10 ? " and others" : "")
        throw Refusal.refused("There are several tokens with the name \(text.quoted): say which by its id, \(list).")
      }
      return id
    }
  }
}

struct TokenRecord: Record {
  let token: Token
  let email: String
  private let state: String
  /// The secret; nil unless the token was made just now.
  private let text: String?

  init(token: Token, email: String, at now: Timestamp, text: String? = nil) {
    self.token = token
    self.email = email
    self.text = text
    state = token.isValid(at: now) ? "valid" : token.revokedAt != nil ? "revoked" : "expired"
  }

  static let headings = ["ID", "ACCOUNT", "NAME", "PERMISSIONS", "STATE", "LAST USED", "MADE WITH"]

  var cells: [String] {
    [
      "\(token.id)", email, token.name, token.permissions.map(\.description).joined(separator: " "), state,
      token.lastUsedAt.map(\.displayed) ?? "never", token.parentID.map { "\($0)" } ?? "-",
    ]
  }

  func write(_ writer: inout JSONWriter) {
    writer.field("id", token.id.value)
    writer.field("account") { writer in
      writer.field("id", token.accountID.value)
      writer.field("email", email)
    }
    writer.field("name", token.name)
    writer.field("permissions", token.permissions) { $0.value($1.description) }
    writer.field("state", state)
    writer.field("created_at", token.createdAt)
    writer.field("expires_at", token.expiresAt)
    writer.field("last_used_at", token.lastUsedAt)
    writer.field("revoked_at", token.revokedAt)
    writer.field("parent_id", token.parentID?.value)
    if let text { writer.field("token", text) }
  }
}
