import API
import ArgumentParser
import Core
import Engine

struct AccountRecord: Record {
  let account: Account

  static let headings = ["ID", "E-MAIL", "BALANCE", "CREATED", "STATE", "ROLE"]

  var cells: [String] {
    [
      "\(account.id)", account.email, account.balance.decimal, account.createdAt.displayed,
      state, account.isOperator ? "operator" : "",
    ]
  }

  private var state: String {
    if account.closedAt != nil { return "closed" }
    switch account.suspension.cause {
    case .operator?: return "suspended"
    case .credit?: return "out of credit"
    case nil: return "open"
    }
  }

  func write(_ writer: inout JSONWriter) {
    writer.field("id", account.id.value)
    writer.field("email", account.email)
    writer.field("first_name", account.firstName)
    writer.field("last_name", account.lastName)
    writer.field("company_name", account.companyName)
    writer.field("balance", text: account.balance)
    writer.field("created_at", account.createdAt)
    writer.field("suspended", account.suspension.cause?.rawValue)
    writer.field("deletion_at", account.suspension.deletionAt)
    writer.field("closed_at", account.closedAt)
    writer.field("language", account.language.rawValue)
    writer.field("smtp_outbound", account.mayMail)
    writer.field("operator", account.isOperator)
  }
}

/// An account with the numbers of its servers, tokens and SSH keys.
struct AccountSummaryRecord: DetailedRecord {
  let summary: AccountSummary

  private var account: Account { summary.account }

  static let headings = AccountRecord.headings
  var cells: [String] { AccountRecord(account: account).cells }

  var details: [(label: String, value: String?)] {
    func known(_ text: String) -> String? { text.isEmpty ? nil : text }
    return [
      ("ID", "\(account.id)"), ("E-MAIL", account.email), ("FIRST NAME", known(account.firstName)),
      ("LAST NAME", known(account.lastName)), ("COMPANY", known(account.companyName)),
      ("LANGUAGE", account.language.rawValue),
      ("BALANCE", account.balance.decimal), ("CREATED", account.createdAt.displayed),
      ("SMTP", account.mayMail ? "may open connections to port 25" : nil),
      ("ROLE", account.isOperator ? "operator: sees the operator's pages of the panel" : nil),
      ("SUSPENDED", account.suspension.cause?.rawValue), ("DELETION", account.suspension.deletionAt?.displayed),
      ("CLOSED", account.closedAt?.displayed), ("SERVERS", "\(summary.serverCount)"),
      ("TOKENS", "\(summary.tokenCount)"), ("SSH KEYS", "\(summary.sshKeyCount)"),
    ]
  }

  func write(_ writer: inout JSONWriter) {
    AccountRecord(account: account).write(&writer)
    writer.field("servers", summary.serverCount)
    writer.field("tokens", summary.tokenCount)
    writer.field("ssh_keys", summary.sshKeyCount)
  }
}

/// Finds the account that an operator means.
struct Accounts {
  let store: any OperatorAccounts.Stores

  /// Finds an account by its e-mail address or ID; without a name, the only account that exists.
  func one(named name: String?) async throws -> Account {
    if let name {
      if let account = try await OperatorAccounts(store: store, clock: SystemClock()).find(name) { return account }
      throw Refusal.noSuch("There is no account \(name.quoted): see `vpsd account list`.")
    }
    let accounts = try await store.accounts(after: nil, limit: 2)
    guard accounts.count == 1, let account = accounts.first else {
      throw ValidationError(
        accounts.isEmpty
          ? "There is no account yet: start the service once." : "There are several accounts: name one with --account.")
    }
    return account
  }

  /// The same for a command that a closed account does not allow.
  func open(named name: String?) async throws -> Account {
    let account = try await one(named: name)
    guard account.closedAt == nil else { throw Refusal.refused("The account \(account.id) is closed.") }
    return account
  }
}
