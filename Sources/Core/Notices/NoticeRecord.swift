package import struct Foundation.UUID

/// A stored notice: its recipient, and how far its delivery has come.
package struct NoticeRecord: Sendable, Equatable {
  package let id: ID<Notice>
  /// Lets receivers detect repeats: it is the same in each attempt.
  package let uuid: UUID
  package let notice: Notice
  package let account: ID<Account>
  package let email: String
  package let language: Language
  /// How many deliveries were attempted, including one that is under way.
  package let attempts: Int
  /// When it was delivered or given up; nil until then.
  package let finishedAt: Timestamp?
  package let isGivenUp: Bool
  /// Why the last attempt failed, for the operator.
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

/// The result of an attempt to deliver a notice.
package enum NoticeOutcome: Sendable, Equatable {
  case delivered
  case failed(reason: String, nextAt: Timestamp)
  case givenUp(reason: String)
}
