package import struct Foundation.UUID

/// Takes notices to those whom they are for: a mail program, or whoever listens to a webhook. The same notice may come more than
/// once, with the same uuid.
package protocol NoticeReceiver: Sendable {
  /// Returns once somebody has taken it over, in bounded time. Throws `UndeliveredNotice`.
  func deliver(_ letter: NoticeLetter) async throws
}

/// A notice in words.
package struct NoticeLetter: Sendable, Equatable {
  package let uuid: UUID
  package let notice: Notice
  package let account: ID<Account>
  /// As it stands in the account.
  package let recipient: String
  package let language: Language
  package let subject: String
  package let text: String
  package let writtenAt: Timestamp

  package init(
    uuid: UUID, notice: Notice, account: ID<Account>, recipient: String, language: Language, subject: String,
    text: String, writtenAt: Timestamp
  ) {
    self.uuid = uuid
    self.notice = notice
    self.account = account
    self.recipient = recipient
    self.language = language
    self.subject = subject
    self.text = text
    self.writtenAt = writtenAt
  }
}

package struct UndeliveredNotice: Error, CustomStringConvertible {
  /// For the operator.
  package let reason: String
  /// Whether another try may help.
  package let isPermanent: Bool

  package var description: String { reason }

  package init(_ reason: String, isPermanent: Bool = false) {
    self.reason = reason
    self.isPermanent = isPermanent
  }
}
