package import Core

/// A notice as text in its reader's language. The subject contains no name that a customer has chosen.
package struct NoticeText: Sendable, Equatable {
  package let subject: String
  package let text: String

  /// - Parameter link: The URL that signs the reader in, for a notice of the kind `loginLink`; otherwise nil.
  package init(of notice: Notice, for email: String, in language: Language, currency: String, link: String? = nil) {
    let words: any NoticeWords =
      switch language {
      case .english: EnglishNoticeWords()
      case .bulgarian: BulgarianNoticeWords()
      }
    subject = words.subject(of: notice)
    let paragraphs =
      [words.greeting] + words.paragraphs(of: notice, account: email, currency: currency) + (link.map { [$0] } ?? [])
      + [words.closing]
    text = paragraphs.joined(separator: "\n\n") + "\n"
  }
}

/// The texts of one language.
protocol NoticeWords {
  var greeting: String { get }
  var closing: String { get }
  func subject(of notice: Notice) -> String
  func paragraphs(of notice: Notice, account: String, currency: String) -> [String]
  /// The last line of a list that leaves out `count` entries.
  func others(_ count: Int) -> String
}

extension NoticeWords {
  /// The entries of a notice as one paragraph, a line each; empty where there are no entries.
  func list(_ facts: Notice.Facts) -> [String] {
    guard !facts.entries.isEmpty else { return [] }
    let rest = facts.entryCount - facts.entries.count
    return [(facts.entries.map { "- \($0)" } + (rest > 0 ? ["- " + others(rest)] : [])).joined(separator: "\n")]
  }

  func amount(_ money: Money?, _ currency: String) -> String { "\((money ?? .zero).decimal) \(currency)" }

  /// `2025-02-15 14:30 UTC`.
  func time(_ time: Timestamp?) -> String {
    guard let time else { return "-" }
    let text = time.wireFormat
    return "\(text.prefix(10)) \(text.dropFirst(11).prefix(5)) UTC"
  }
}
