package struct Account: Sendable, Equatable {
  /// For each of its owner's names.
  package static let nameRule = TextRule(maximumLength: 255)

  /// As much of RFC 5321 as tells an address from anything else: at most 254 bytes, and no space or control character.
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
  /// Empty where it is not known, as are the next two.
  package let firstName: String
  package let lastName: String
  package let companyName: String
  /// In which it is written to.
  package let language: Language
  package let suspension: AccountSuspension
  /// Whether its servers may open connections to TCP port 25 where others' may not.
  package let mayMail: Bool
  /// When it was closed for good, and all that is personal in it erased; nil while it is open.
  package let closedAt: Timestamp?
  /// Whether the operator has said that whoever is signed in to it works as one, too.
  package let isOperator: Bool

  /// Whether that holds now.
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

/// An account, and how much it has of what counts.
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

/// Which accounts; nil for any.
package struct AccountFilter: Sendable, Equatable {
  package enum State: String, Sendable, CaseIterable {
    /// Neither suspended nor closed.
    case open
    case suspended
    case closed
  }

  /// Whatever the case of its letters.
  package var email: String?
  /// How the e-mail address begins, in the same way.
  package var beginning: String?
  package var state: State?

  package init() {}
}

/// By what accounts can be ordered.
package enum AccountKey: String, Sendable, CaseIterable {
  case id
  case email
  case createdAt = "created_at"
  case balance
}

/// Who an account belongs to; nil leaves a field as it is.
package struct ProfileChange: Sendable, Equatable {
  package var firstName: String?
  package var lastName: String?
  package var companyName: String?
  package var email: String?
  /// What the e-mail address was where all of this was chosen; nil where that does not matter.
  package var expectedEmail: String?
  package var language: Language?
  /// Only the operator's to change.
  package var mayMail: Bool?
  /// Only to be changed on the host.
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
  /// What was set aside was given back.
  case release
  /// An hour of a server was paid for.
  case charge
  /// An hour of its backups.
  case backup
  /// A GB beyond what its plan has for a month.
  case traffic
  /// The operator gave back what was paid.
  case refund
}
