/// The rule for short names of plans, operating systems, images and locations, which also occur in paths on the host.
package enum Slug {
  package static let maximumLength = 64

  /// Why the text is not a slug, as a message for its author; nil if it is one.
  package static func violation(in text: String) -> String? {
    guard text.isPlain(atMost: maximumLength), let first = text.utf8.first, isLetterOrDigit(first),
      text.utf8.allSatisfy({ isLetterOrDigit($0) || [UInt8(ascii: "-"), UInt8(ascii: ".")].contains($0) })
    else {
      return "Write 1 to \(maximumLength) of a-z, 0-9, hyphen and dot, and a letter or digit first."
    }
    return nil
  }

  /// The name as a slug: `Nano VPS` becomes `nano-vps`. Nil if the result would not be valid.
  package static func made(of name: String) -> String? {
    let words = name.utf8.split { !isLetterOrDigit($0 | 0x20) && $0 != UInt8(ascii: ".") }
    let text = words.map { String(decoding: $0.map { $0 < 0x41 ? $0 : $0 | 0x20 }, as: UTF8.self) }
      .joined(separator: "-").prefix(maximumLength)
    return violation(in: String(text)) == nil ? String(text) : nil
  }

  private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }
}
