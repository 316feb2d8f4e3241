/// Something that the owner of an account is told without having asked.
package struct Notice: Sendable, Equatable {
  package enum Kind: String, Sendable, CaseIterable {
    case creditLow = "credit.low"
    case accountSuspended = "account.suspended"
    case accountResumed = "account.resumed"
    /// The day comes nearer on which the servers of an account out of credit are deleted.
    case deletionNear = "account.deletion"
    case serversDeleted = "servers.deleted"
    case serversSuspended = "servers.suspended"
    case serversResumed = "servers.resumed"
    case serversFailed = "servers.error"
    /// They had more traffic than is included, and are slow until the month is over.
    case serversThrottled = "servers.throttled"
    case backupsFailed = "backups.failed"
    /// Somebody says that they forgot the password of the account.
    case loginLink = "account.login_link"
    /// The operator tries out whether anybody is reached.
    case test

    /// How much of it is gathered into one notice: from the first fact on for so long, and one notice in an hour. Nil for what
    /// happens to an account as a whole, which is told at once.
    package var gathering: Duration? {
      switch self {
      case .serversDeleted, .serversSuspended, .serversResumed, .serversFailed, .serversThrottled, .backupsFailed:
        .seconds(60)
      case .creditLow, .accountSuspended, .accountResumed, .deletionNear, .loginLink, .test: nil
      }
    }

    package static let shortestInterval = Duration.seconds(3600)
  }

  package let kind: Kind
  /// When it happened; the first of several.
  package let at: Timestamp
  package var facts: Facts

  package init(_ kind: Kind, at: Timestamp, _ facts: Facts = Facts()) {
    self.kind = kind
    self.at = at
    self.facts = facts
  }
}

extension Notice {
  /// What there is to say; nil or empty where the kind of notice has no such thing.
  package struct Facts: Sendable, Equatable {
    /// No notice names more servers or backups; of those beyond, it has the number.
    package static let mostEntries = 20
    package static let longestEntry = 300

    /// For how many hours the credit lasts, at most.
    package var hoursLeft: Int?
    package var balance: Money?
    package var hourlyCost: Money?
    package var cause: SuspensionCause?
    /// For which the account is suspended still.
    package var remainingCause: SuspensionCause?
    /// What the operator has said.
    package var reason: String?
    package var deletionAt: Timestamp?
    /// What it is about, a line each.
    package var entries: [String] = []
    /// How many these are, those included that are not named.
    package var entryCount = 0

    package init() {}
  }
}

/// How long credit lasts, in steps: each is told once, until somebody pays.
package enum CreditLevel {
  package static let hours = [1, 24, 72]

  /// Nil where it lasts longer than the longest, or nothing costs anything.
  package static func hours(of balance: Money, at hourlyCost: Money) -> Int? {
    guard hourlyCost > .zero else { return nil }
    return hours.first { balance < hourlyCost * Int64($0) }
  }
}

/// How near the deletion of an account's servers is, in steps: each is told once.
package enum DeletionLevel {
  package static let days = [1, 7]

  /// Nil where it is further away, or was no further away when it was announced first.
  package static func days(until deletion: Timestamp, announced: Timestamp, at now: Timestamp) -> Int? {
    days.first { deletion - now <= length($0) }.flatMap { deletion - announced > length($0) ? $0 : nil }
  }

  private static func length(_ days: Int) -> Duration { .seconds(days * 86_400) }
}
