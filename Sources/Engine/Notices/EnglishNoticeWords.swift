import Core

struct EnglishNoticeWords: NoticeWords {
  let greeting = "Hello,"
  let closing = "This message was written by a program. It is sent to the address of the account."

  func others(_ count: Int) -> String { "and \(count) more" }

  func subject(of notice: Notice) -> String {
    let count = notice.facts.entryCount
    func servers(_ one: String, _ many: String) -> String {
      count == 1 ? "A server \(one)" : "\(count) servers \(many)"
    }
    return switch notice.kind {
    case .creditLow: "Your credit lasts for less than \(hours(notice.facts))"
    case .accountSuspended: "Your account is suspended"
    case .accountResumed: "Your account is not suspended any more"
    case .deletionNear: "Your servers will be deleted soon"
    case .serversDeleted: servers("was deleted for want of credit", "were deleted for want of credit")
    case .serversSuspended: servers("was suspended", "were suspended")
    case .serversResumed: servers("is not suspended any more", "are not suspended any more")
    case .serversFailed: servers("has a problem", "have a problem")
    case .serversThrottled: servers("is slow until the month is over", "are slow until the month is over")
    case .backupsFailed: count == 1 ? "A backup failed" : "Backups of \(count) servers failed"
    case .loginLink: "A link to sign in with"
    case .test: "A test"
    }
  }

  func paragraphs(of notice: Notice, account: String, currency: String) -> [String] {
    let facts = notice.facts
    return switch notice.kind {
    case .creditLow:
      [
        "The account \(account) has \(amount(facts.balance, currency)), and its servers cost "
          + "\(amount(facts.hourlyCost, currency)) an hour. That lasts for less than \(hours(facts)).",
        "When an hour cannot be paid, all servers of the account are shut down. Please add credit before that.",
      ]
    case .accountSuspended: suspended(notice, account)
    case .accountResumed: resumed(facts, account)
    case .deletionNear:
      [
        "The account \(account) is out of credit. On \(time(facts.deletionAt)) all its servers will be deleted, "
          + "with their disks, backups and snapshots. Nobody can bring them back then.",
        "Add credit before that to keep them.",
      ]
    case .serversDeleted:
      [
        "The account \(account) was out of credit for too long. These of its servers were deleted, with their "
          + "disks, backups and snapshots:"
      ] + list(facts)
    case .serversSuspended:
      ["These servers of the account \(account) were suspended by the operator and are shut down:"] + list(facts)
    case .serversResumed:
      ["These servers of the account \(account) are not suspended by the operator any more:"] + list(facts)
    case .serversFailed:
      ["These servers of the account \(account) are in the status error:"] + list(facts) + [
        "Start a server again, restore or rebuild it; and tell the operator where that does not help."
      ]
    case .serversThrottled:
      [
        "These servers of the account \(account) had more traffic this month than their plans include. Their networks are slow "
          + "until the month is over, or until they have a plan that includes more:"
      ] + list(facts)
    case .backupsFailed:
      ["Backups of these servers of the account \(account) failed:"] + list(facts) + [
        "Older backups stay as they are. The next automatic one is made at its usual time."
      ]
    case .loginLink:
      [
        "Somebody, perhaps you, has said at the panel that the password of the account \(account) is forgotten. Whoever opens "
          + "the link below within an hour is signed in, once, and can set another password; the old one is gone then. If that "
          + "was not you, leave the link alone: nothing changes."
      ]
    case .test: ["This is a test: notices for the account \(account) arrive."]
    }
  }

  private func hours(_ facts: Notice.Facts) -> String {
    facts.hoursLeft == 1 ? "an hour" : "\(facts.hoursLeft ?? 0) hours"
  }

  private func suspended(_ notice: Notice, _ account: String) -> [String] {
    let facts = notice.facts
    guard facts.cause == .credit else {
      return [
        "The account \(account) was suspended by the operator at \(time(notice.at)). All its servers are shut down, "
          + "and nothing in it can be changed."
      ] + (facts.reason.map { ["The operator says: \($0)"] } ?? [])
    }
    return [
      "The account \(account) is out of credit since \(time(notice.at)). All its servers are shut down.",
      "As soon as there is credit for an hour of all of them, they become what they were. Otherwise they will be deleted on "
        + "\(time(facts.deletionAt)), with their disks, backups and snapshots.",
    ]
  }

  private func resumed(_ facts: Notice.Facts, _ account: String) -> [String] {
    let over =
      facts.cause == .credit
      ? "The account \(account) is not out of credit any more."
      : "The account \(account) is not suspended by the operator any more."
    let rest =
      switch facts.remainingCause {
      case .credit?: "But it is out of credit: its servers stay off until somebody pays."
      case .operator?: "But it is suspended by the operator: its servers stay off."
      case nil: "Its servers become what they were."
      }
    return [over + " " + rest]
  }
}
