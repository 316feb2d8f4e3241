package import struct Foundation.UUID

/// A notice as it is kept: whom it is for, and what became of it.
package struct NoticeRecord: Sendable, Equatable {
  package let id: ID<Notice>
  /// By which a receiver knows it again: the same in each try.
  package let uuid: UUID
  package let notice: Notice
  package let account: ID<Account>
  package let email: String
  package let language: Language
  /// How often it was tried to deliver it; the one that runs is counted.
  package let attempts: Int
  /// When it was delivered or given up.
  package let finishedAt: Timestamp?
  package let isGivenUp: Bool
  /// Why the last try failed, for the operator.
  package let failure: String?

  package init(
    id: ID<Notice>, uuid: UUID, notice: Notice, account: ID<Account>, email: String, language: Language, attempts: Int,
    finishedAt: Timestamp?, isGivenUp: Bool, failure: String?
  ) {
    self.id = id
    self.uuid = uuid
    self.notice = notice
    self.account = account
    self.email = email
    self.language = language
    self.attempts = attempts
    self.finishedAt = finishedAt
    self.isGivenUp = isGivenUp
    self.failure = failure
  }
}

/// What came of a try to deliver a notice.
package enum NoticeOutcome: Sendable, Equatable {
  case delivered
  case failed(reason: String, nextAt: Timestamp)
  case givenUp(reason: String)
}
