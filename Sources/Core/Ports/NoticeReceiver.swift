package import struct Foundation.UUID

/// Delivers notices to account owners, through a mail program or a webhook. The same notice may be delivered more than
/// once, with the same uuid.
package protocol NoticeReceiver: Sendable {
  /// Returns in bounded time, once the mail program or webhook has accepted the notice. Throws `UndeliveredNotice`.
  func deliver(_ letter: NoticeLetter) async throws
}

/// A notice put into words.
package struct NoticeLetter: Sendable, Equatable {
  package let uuid: UUID
  package let notice: Notice
  package let account: ID<Account>
  /// The e-mail address as the account has it.
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
  /// Whether another attempt cannot help.
  package let isPermanent: Bool

  package var description: String { reason }

  package init(_ reason: String, isPermanent: Bool = false) {
    self.reason = reason
    self.isPermanent = isPermanent
  }
}
