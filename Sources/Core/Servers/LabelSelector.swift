/// A condition on the labels of servers: `env=prod,!old,tier in (web,db)`. All terms must hold. A server without the
/// key satisfies `!=` and `notin`.
package struct LabelSelector: Sendable, Equatable {
  package static let maximumBytes = 1024
  /// Limited because each term may have to look at every server of the account.
  package static let maximumTerms = 8
  /// Of all terms together.
  package static let maximumValues = 32

  package enum Term: Sendable, Equatable {
    case has(LabelKey)
    case lacks(LabelKey)
    case isOneOf(LabelKey, [LabelValue])
    case isNoneOf(LabelKey, [LabelValue])
  }

  /// Why a text is not a valid selector, as a message for its author.
  package struct Refusal: Error, Sendable, Equatable {
    package let message: String
  }

  package let terms: [Term]

  package init(parsing text: String) throws(Refusal) {
    guard text.utf8.count <= Self.maximumBytes else {
      throw Refusal(message: "Ensure this parameter has no more than \(Self.maximumBytes) bytes.")
    }
    guard text.isPlain(atMost: Self.maximumBytes) else { throw Refusal(message: "Label selectors are ASCII.") }
    let parts = Self.parts(of: text)
    guard parts.count <= Self.maximumTerms else {
      throw Refusal(message: "Ensure this selector has no more than \(Self.maximumTerms) terms.")
    }
    var terms: [Term] = []
    for part in parts { terms.append(try Self.term(part)) }
    guard terms.map(\.valueCount).reduce(0, +) <= Self.maximumValues else {
      throw Refusal(message: "Ensure this selector has no more than \(Self.maximumValues) values.")
    }
    self.terms = terms
  }

  /// Splits at the commas outside of parentheses.
  private static func parts(of text: String) -> [Substring] {
    var parts: [Substring] = []
    var depth = 0
    var begin = text.startIndex
    for index in text.indices {
      switch text[index] {
      case "(": depth += 1
      case ")": depth -= 1
      case "," where depth == 0:
        parts.append(text[begin..<index])
        begin = text.index(after: index)
      default: break
      }
    }
    return parts + [text[begin...]]
  }

  private static func term(_ part: Substring) throws(Refusal) -> Term {
    let text = trimmed(part)
    if text.first == "!" { return .lacks(try key(text.dropFirst(), in: part)) }
    if let open = text.firstIndex(of: "(") {
      guard text.last == ")" else { throw unreadable(part) }
      let words = text[..<open].split(whereSeparator: isSpace)
      guard words.count == 2 else { throw unreadable(part) }
      let inside = text[text.index(after: open)...].dropLast()
      var values: [LabelValue] = []
      for word in inside.split(separator: ",", omittingEmptySubsequences: false) {
        let word = trimmed(word)
        guard !word.isEmpty else { throw unreadable(part) }
        values.append(try value(word, in: part))
      }
      switch words[1] {
      case "in": return .isOneOf(try key(words[0], in: part), values)
      case "notin": return .isNoneOf(try key(words[0], in: part), values)
      default: throw unreadable(part)
      }
    }
    guard let sign = text.firstIndex(of: "=") else { return .has(try key(text, in: part)) }
    var rest = text[text.index(after: sign)...]
    if sign > text.startIndex, text[text.index(before: sign)] == "!" {
      return .isNoneOf(try key(text[..<text.index(before: sign)], in: part), [try value(trimmed(rest), in: part)])
    }
    if rest.first == "=" { rest = rest.dropFirst() }
    return .isOneOf(try key(text[..<sign], in: part), [try value(trimmed(rest), in: part)])
  }

  private static func key(_ text: Substring, in part: Substring) throws(Refusal) -> LabelKey {
    guard let key = LabelKey(String(trimmed(text))) else { throw unreadable(part) }
    return key
  }

  private static func value(_ text: Substring, in part: Substring) throws(Refusal) -> LabelValue {
    guard let value = LabelValue(String(text)) else { throw unreadable(part) }
    return value
  }

  private static func unreadable(_ part: Substring) -> Refusal {
    Refusal(
      message: "\(part.quoted) is no term of a label selector: write key, !key, key=value, key!=value, key in (a,b) or "
        + "key notin (a,b).")
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var rest = text.drop(while: isSpace)
    while let last = rest.last, isSpace(last) { rest.removeLast() }
    return rest
  }

  private static func isSpace(_ character: Character) -> Bool { character == " " || character == "\t" }
}

extension LabelSelector.Term {
  fileprivate var valueCount: Int {
    switch self {
    case .has, .lacks: 0
    case .isOneOf(_, let values), .isNoneOf(_, let values): values.count
    }
  }
}
