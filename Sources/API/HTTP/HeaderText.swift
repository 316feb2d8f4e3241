/// Words of headers are compared as bytes: comparing Unicode texts costs more than sending them.
extension Collection<UInt8> {
  /// Whether this is the word, ignoring case. The word must be given in lower case.
  func isToken(_ word: StaticString) -> Bool {
    word.withUTF8Buffer { word in
      count == word.count
        && zip(self, word).allSatisfy { byte, wanted in
          ((65...90).contains(byte) ? byte | 32 : byte) == wanted
        }
    }
  }
}

extension Collection<UInt8> {
  /// The text without any white space.
  var withoutSpace: String { String(decoding: filter { $0 != 32 && $0 != 9 }, as: UTF8.self) }
}

extension String {
  /// The elements of a comma-separated list, without the white space around them; empty ones are left out.
  var listElements: [Substring] {
    utf8.split(separator: UInt8(ascii: ",")).compactMap { element in
      let isSpace = { (byte: UInt8) in byte == 32 || byte == 9 }
      guard let first = element.firstIndex(where: { !isSpace($0) }),
        let last = element.lastIndex(where: { !isSpace($0) })
      else { return nil }
      return Substring(element[first...last])
    }
  }
}
