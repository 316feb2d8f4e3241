package import Core

/// A notice in the words of its reader's language. The subject has no name that anybody chose.
package struct NoticeText: Sendable, Equatable {
  package let subject: String
  package let text: String

  /// - Parameter link: What signs in, where the notice is about that.
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

/// One language.
protocol NoticeWords {
  var greeting: String { get }
  var closing: String { get }
  func subject(of notice: Notice) -> String
  func paragraphs(of notice: Notice, account: String, currency: String) -> [String]
  /// What stands below the list where it does not name all.
  func others(_ count: Int) -> String
}

extension NoticeWords {
  /// The things that a notice is about, a line each; empty where there are none.
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
