/// An e-mail address that can be put into a message header unchanged: a dot-atom of RFC 5322, in ASCII, at a domain of
/// letters, digits and hyphens. None of its characters can end the header, begin another address or act as an option of
/// a mail program.
package struct EmailAddress: Sendable, Hashable, CustomStringConvertible {
  package static let longestBytes = 254
  private static let longestLocalBytes = 64

  package let text: String

  package var description: String { text }
  package var domain: Substring { text[text.index(after: text.lastIndex(of: "@") ?? text.startIndex)...] }

  package init?(_ text: String) {
    guard text.isPlain(atMost: Self.longestBytes) else { return nil }
    let parts = text.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0].count <= Self.longestLocalBytes,
      Self.isDotAtom(parts[0], of: Self.isAtomCharacter),
      Self.isDotAtom(parts[1], of: Self.isDomainCharacter), parts[0].first != UInt8(ascii: "-")
    else { return nil }
    self.text = text
  }

  private static func isDotAtom(_ text: Substring.UTF8View, of isAllowed: (UInt8) -> Bool) -> Bool {
    text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
      .allSatisfy { !$0.isEmpty && $0.allSatisfy(isAllowed) }
  }

  private static func isAtomCharacter(_ byte: UInt8) -> Bool {
    isLetterOrDigit(byte) || "!#$%&'*+-/=?^_`{|}~".utf8.contains(byte)
  }

  private static func isDomainCharacter(_ byte: UInt8) -> Bool {
    isLetterOrDigit(byte) || byte == UInt8(ascii: "-")
  }

  private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: false
    }
  }
}
