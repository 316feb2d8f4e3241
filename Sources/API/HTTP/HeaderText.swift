/// Words of headers are compared by their bytes: a text of Unicode costs more to compare than it costs to send.
extension Collection<UInt8> {
  /// Whether this is the word, which is in lower case, in whatever case.
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
  /// The text without its white space, wherever that stands.
  var withoutSpace: String { String(decoding: filter { $0 != 32 && $0 != 9 }, as: UTF8.self) }
}

extension String {
  /// The elements of a list that is separated by commas, without the white space around them; empty ones do not count.
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
