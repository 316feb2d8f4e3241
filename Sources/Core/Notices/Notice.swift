/// Something that the owner of an account is told without having asked for it.
package struct Notice: Sendable, Equatable {
  package enum Kind: String, Sendable, CaseIterable {
    case creditLow = "credit.low"
    case accountSuspended = "account.suspended"
    case accountResumed = "account.resumed"
    /// The day on which the servers of an account out of credit are deleted is near.
    case deletionNear = "account.deletion"
    case serversDeleted = "servers.deleted"
    case serversSuspended = "servers.suspended"
    case serversResumed = "servers.resumed"
    case serversFailed = "servers.error"
    /// Servers had more traffic than is included, and are throttled until the month is over.
    case serversThrottled = "servers.throttled"
    case backupsFailed = "backups.failed"
    /// Somebody says that they forgot the account's password, and gets a login link.
    case loginLink = "account.login_link"
    /// The operator tests whether notices arrive.
    case test

    /// How long facts are collected into one notice, from the first fact on; at most one such notice is sent per
    /// `shortestInterval`. Nil for kinds that concern an account as a whole, which are sent at once.
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
  /// When it happened; for several facts, when the first one did.
  package let at: Timestamp
  package var facts: Facts

  package init(_ kind: Kind, at: Timestamp, _ facts: Facts = Facts()) {
    self.kind = kind
    self.at = at
    self.facts = facts
  }
}

extension Notice {
  /// The content of a notice; a field is nil or empty if the kind of notice does not have it.
  package struct Facts: Sendable, Equatable {
    /// The most servers or backups that a notice names; the others are only counted.
    package static let mostEntries = 20
    package static let longestEntry = 300

    /// How many hours the credit lasts at most.
    package var hoursLeft: Int?
    package var balance: Money?
    package var hourlyCost: Money?
    package var cause: SuspensionCause?
    /// The cause for which the account is still suspended.
    package var remainingCause: SuspensionCause?
    /// The reason that the operator gave.
    package var reason: String?
    package var deletionAt: Timestamp?
    /// The servers or backups concerned, one line each.
    package var entries: [String] = []
    /// How many are concerned, including those that are not named.
    package var entryCount = 0

    package init() {}
  }
}

/// The levels of low credit, in hours that it lasts: each is announced once, until somebody pays.
package enum CreditLevel {
  package static let hours = [1, 24, 72]

  /// The lowest level that applies; nil if credit lasts longer than the highest one, or if nothing costs anything.
  package static func hours(of balance: Money, at hourlyCost: Money) -> Int? {
    guard hourlyCost > .zero else { return nil }
    return hours.first { balance < hourlyCost * Int64($0) }
  }
}

/// The levels before an account's servers are deleted, in days: each is announced once.
package enum DeletionLevel {
  package static let days = [1, 7]

  /// The lowest level that applies; nil if the deletion is further away, or was already that near when it was first
  /// announced.
  package static func days(until deletion: Timestamp, announced: Timestamp, at now: Timestamp) -> Int? {
    days.first { deletion - now <= length($0) }.flatMap { deletion - announced > length($0) ? $0 : nil }
  }

  private static func length(_ days: Int) -> Duration { .seconds(days * 86_400) }
}
