package import Core
import Foundation

/// A message in the format of RFC 5322 and MIME, with the line ends that mail programs expect on their standard input. No name
/// of an account or a server can end a header: a subject is encoded where it is not plain, and the text is quoted-printable.
package struct MailMessage: Sendable {
  private static let longestHeaderBytes = 76

  let from: EmailAddress
  let to: EmailAddress
  let subject: String
  let text: String
  let language: Language
  let uuid: UUID
  let date: Timestamp

  /// Throws where the account's e-mail address cannot be in a header.
  package init(_ letter: NoticeLetter, from: EmailAddress) throws {
    guard let to = EmailAddress(letter.recipient) else {
      throw UndeliveredNotice("the address of the account cannot be used in a message", isPermanent: true)
    }
    self.from = from
    self.to = to
    subject = letter.subject
    text = letter.text
    language = letter.language
    uuid = letter.uuid
    date = letter.writtenAt
  }

  package var bytes: [UInt8] {
    let headers = [
      "From: \(from)", "To: \(to)", "Subject: \(EncodedWords.header(subject, after: "Subject: ".utf8.count))",
      "Date: \(Self.date(date))", "Message-ID: <\(uuid.text)@\(from.domain)>", "MIME-Version: 1.0",
      "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: quoted-printable",
      "Content-Language: \(language.rawValue)", "Auto-Submitted: auto-generated",
    ]
    return Array((headers.joined(separator: "\n") + "\n\n" + QuotedPrintable.encoded(text)).utf8)
  }

  private static let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  /// `Thu, 26 Nov 2026 09:08:12 +0000`.
  private static func date(_ time: Timestamp) -> String {
    func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
    let (year, month, day, hour, minute, second) = time.calendar
    let days = Int((Double(time.millisecondsSinceEpoch) / 86_400_000).rounded(.down))
    let weekday = weekdays[(days % 7 + 7) % 7]
    return
      "\(weekday), \(padded(day)) \(months[month - 1]) \(year) \(padded(hour)):\(padded(minute)):\(padded(second)) +0000"
  }
}

/// The text of a header in the encoded words of RFC 2047.
enum EncodedWords {
  private static let longestLine = 76
  private static let (prefix, suffix) = ("=?utf-8?B?", "?=")

  /// - Parameter column: How many bytes stand before it in its line.
  static func header(_ text: String, after column: Int) -> String {
    if isPlain(text), column + text.utf8.count <= longestLine { return text }
    var words: [String] = []
    var word: [UInt8] = []
    // How many bytes fit into a line beside prefix and suffix: base64 makes four characters of three bytes.
    let room = (longestLine - column - prefix.utf8.count - suffix.utf8.count) / 4 * 3
    for scalar in text.unicodeScalars {
      let bytes = Array(String(scalar).utf8)
      if word.count + bytes.count > room {
        words.append(framed(word))
        word = []
      }
      word += bytes
    }
    words.append(framed(word))
    return words.joined(separator: "\n ")
  }

  private static func framed(_ bytes: [UInt8]) -> String { prefix + Data(bytes).base64EncodedString() + suffix }

  /// Whether it is printable ASCII in which no encoded word begins.
  private static func isPlain(_ text: String) -> Bool {
    text.utf8.allSatisfy { (0x20..<0x7F).contains($0) } && !text.contains("=?")
  }
}

/// RFC 2045, section 6.7.
enum QuotedPrintable {
  private static let longestLine = 76
  private static let digits = Array("0123456789ABCDEF")

  static func encoded(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { line($0) }.joined(separator: "\n")
  }

  private static func line(_ text: Substring) -> String {
    let bytes = Array(text.utf8)
    var (line, column) = ("", 0)
    for (index, byte) in bytes.enumerated() {
      let piece = Self.piece(byte, isFirst: column == 0, isLast: index == bytes.count - 1)
      // Leaves room for the `=` that continues the line.
      if column + piece.utf8.count > longestLine - 1 {
        line += "=\n"
        // The byte may have to be escaped at the beginning of a line only.
        let first = Self.piece(byte, isFirst: true, isLast: index == bytes.count - 1)
        line += first
        column = first.utf8.count
      } else {
        line += piece
        column += piece.utf8.count
      }
    }
    return line
  }

  /// A lone dot ends a message for some programs, and `From ` begins another one in a mailbox.
  private static func piece(_ byte: UInt8, isFirst: Bool, isLast: Bool) -> String {
    let isSpecial =
      byte == UInt8(ascii: "=") || (isFirst && (byte == UInt8(ascii: ".") || byte == UInt8(ascii: "F")))
      || (isLast && byte == UInt8(ascii: " "))
    if (0x20..<0x7F).contains(byte), !isSpecial { return String(Unicode.Scalar(byte)) }
    return "=\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
  }
}
