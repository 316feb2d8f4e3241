import ArgumentParser
import Core
import Engine

struct TokenCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "token", abstract: "Bearer tokens for the API.", subcommands: [Create.self, List.self, Revoke.self])

  struct Create: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Make a token and show it, this once.")

    @OptionGroup var options: ConfigurationOptions
    @Option(help: "What the token is for.") var name: String
    @Option(help: "The e-mail address of the account; may be left out where there is only one.") var account: String?
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
      let store = try options.openStore()
      let clock = SystemClock()
      let account = try await Accounts(store: store).one(named: account)
      let text = TokenText.random()
      let token = try await store.createToken(
        NewToken(
          accountID: account.id, name: name, hash: text.hash, permissions: grants,
          expiresAt: expiresInDays.map { clock.now + .seconds($0 * 86_400) }),
        at: clock.now)
      print("Token \(token.id) of \(account.email.escaped()), shown this once:\n\n  \(text.text)\n")
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List all tokens; their text is not kept.")

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
      let store = try options.openStore()
      let now = SystemClock().now
      let headings = TextTable("ID", "ACCOUNT", "NAME", "PERMISSIONS", "STATE", "LAST USED", "MADE WITH")
      try await PrintedList<Token>.print(headings) { last, limit in
        try await store.tokens(after: last?.id, limit: limit)
      } _: { table, token in
        let state = token.isValid(at: now) ? "valid" : token.revokedAt != nil ? "revoked" : "expired"
        table.add(
          "\(token.id)", try await store.account(token.accountID)?.email ?? "?", token.name,
          token.permissions.map(\.description).joined(separator: " "), state,
          token.lastUsedAt.map(\.displayed) ?? "never", token.parentID.map { "\($0)" } ?? "-")
      }
    }
  }

  struct Revoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Revoke a token, and all that were made with it; the service refuses them within a second.")

    @OptionGroup var options: ConfigurationOptions
    @Argument(help: "The token's id.") var id: Int64

    func run() async throws {
      guard try await options.openStore().revokeToken(ID(id), at: SystemClock().now) else {
        throw ValidationError("There is no token \(id).")
      }
      print("Token \(id) is revoked, with all that were made with it.")
    }
  }
}
