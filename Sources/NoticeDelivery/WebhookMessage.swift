import Core

/// A notice as a webhook gets it. Fields are only ever added; what a notice does not have is left out.
struct WebhookMessage: Encodable {
  struct Account: Encodable {
    let id: Int64
    let email: String
    let language: String
  }

  struct Details: Encodable {
    let account: Account
    let subject: String
    let text: String
    let hoursLeft: Int?
    let balance: String?
    let hourlyCost: String?
    let cause: String?
    let remainingCause: String?
    let reason: String?
    let deletionAt: String?
    let entries: [String]?
    let entryCount: Int?
  }

  let type: String
  /// When it happened.
  let timestamp: String
  let data: Details

  init(_ letter: NoticeLetter) {
    let facts = letter.notice.facts
    type = letter.notice.kind.rawValue
    timestamp = letter.notice.at.wireFormat
    data = Details(
      account: Account(id: letter.account.value, email: letter.recipient, language: letter.language.rawValue),
      subject: letter.subject, text: letter.text, hoursLeft: facts.hoursLeft, balance: facts.balance?.decimal,
      hourlyCost: facts.hourlyCost?.decimal, cause: facts.cause?.rawValue,
      remainingCause: facts.remainingCause?.rawValue, reason: facts.reason, deletionAt: facts.deletionAt?.wireFormat,
      entries: facts.entries.isEmpty ? nil : facts.entries, entryCount: facts.entries.isEmpty ? nil : facts.entryCount)
  }
}
