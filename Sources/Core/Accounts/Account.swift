package struct Account: Sendable, Equatable {
  /// The rule for first name, last name and company name.
  package static let nameRule = TextRule(maximumLength: 255)

  /// Whether the text could be an e-mail address: at most 254 bytes, something on both sides of the last `@`, and no
  /// space or control character. RFC 5321 is not checked in full.
  package static func isPossible(email text: String) -> Bool {
    guard text.utf8.count <= EmailAddress.longestBytes, let at = text.utf8.lastIndex(of: UInt8(ascii: "@")) else {
      return false
    }
    return at != text.utf8.startIndex && text.utf8.index(after: at) != text.utf8.endIndex
      && !text.unicodeScalars.contains { $0.isControl || $0.properties.isWhitespace }
  }

  package let id: ID<Account>
  package let email: String
  package let balance: Money
  package let createdAt: Timestamp
  /// Empty if unknown, like `lastName` and `companyName`.
  package let firstName: String
  package let lastName: String
  package let companyName: String
  /// The language of the messages sent to the owner.
  package let language: Language
  package let suspension: AccountSuspension
  /// Whether its servers may open connections to TCP port 25 even where the host blocks that for others.
  package let mayMail: Bool
  /// When the account was closed for good and its personal data erased; nil while it is open.
  package let closedAt: Timestamp?
  /// Whether the operator has allowed people who are signed in to this account to act as operators, too.
  package let isOperator: Bool

  /// Whether they may do so now: not while the account is closed, or suspended by the operator.
  package var mayOperate: Bool { isOperator && closedAt == nil && suspension.byOperatorSince == nil }

  package init(
    id: ID<Account>, email: String, balance: Money, createdAt: Timestamp, firstName: String = "",
    lastName: String = "", companyName: String = "", language: Language = .english,
    suspension: AccountSuspension = .none, mayMail: Bool = false, closedAt: Timestamp? = nil, isOperator: Bool = false
  ) {
    self.id = id
    self.email = email
    self.balance = balance
    self.createdAt = createdAt
    self.firstName = firstName
    self.lastName = lastName
    self.companyName = companyName
    self.language = language
    self.suspension = suspension
    self.mayMail = mayMail
    self.closedAt = closedAt
    self.isOperator = isOperator
  }
}

/// An account with the numbers of its servers, tokens and SSH keys.
package struct AccountSummary: Sendable, Equatable {
  package let account: Account
  package let serverCount: Int
  package let tokenCount: Int
  package let sshKeyCount: Int

  package init(account: Account, serverCount: Int, tokenCount: Int, sshKeyCount: Int) {
    self.account = account
    self.serverCount = serverCount
    self.tokenCount = tokenCount
    self.sshKeyCount = sshKeyCount
  }
}

/// Selects accounts; a field that is nil matches every account.
package struct AccountFilter: Sendable, Equatable {
  package enum State: String, Sendable, CaseIterable {
    /// Neither suspended nor closed.
    case open
    case suspended
    case closed
  }

  /// Compared as a whole, ignoring case.
  package var email: String?
  /// A prefix of the e-mail address, ignoring case.
  package var beginning: String?
  package var state: State?

  package init() {}
}

/// The keys that accounts can be sorted by.
package enum AccountKey: String, Sendable, CaseIterable {
  case id
  case email
  case createdAt = "created_at"
  case balance
}

/// Changes to what is known of an account's owner; nil leaves a field as it is.
package struct ProfileChange: Sendable, Equatable {
  package var firstName: String?
  package var lastName: String?
  package var companyName: String?
  package var email: String?
  /// The e-mail address that the account must still have for the change to be made; nil skips this check.
  package var expectedEmail: String?
  package var language: Language?
  /// Only operators may change this.
  package var mayMail: Bool?
  /// Only a command on the host may change this.
  package var isOperator: Bool?

  package init(
    firstName: String? = nil, lastName: String? = nil, companyName: String? = nil, language: Language? = nil
  ) {
    self.firstName = firstName
    self.lastName = lastName
    self.companyName = companyName
    self.language = language
  }
}

/// Why an amount was added to or taken from an account. The ledger is append-only; the balance is its sum.
package enum LedgerReason: String, Sendable, CaseIterable {
  /// The operator added credit.
  case credit
  /// The first hour of a new server was set aside.
  case hold
  /// What was set aside was released.
  case release
  /// An hour of a server was paid for.
  case charge
  /// An hour of a server's backups was paid for.
  case backup
  /// A GB of traffic beyond the plan's monthly allowance was paid for.
  case traffic
  /// The operator refunded a payment.
  case refund
}
