/// What a text that somebody chose may be: so many Unicode scalars, and none that a terminal or a reader's eye obeys.
package struct TextRule: Sendable {
  /// No scalar takes more in UTF-8.
  private static let longestScalarBytes = 4

  /// In Unicode scalars, as JSON Schema counts.
  package let maximumLength: Int

  package init(maximumLength: Int) {
    self.maximumLength = maximumLength
  }

  /// A message for whoever wrote it; nil where the text keeps the rule.
  package func violation(in text: String) -> String? {
    lengthViolation(in: text)
      ?? (text.unicodeScalars.contains(where: \.isControl)
        ? "Control characters, line separators and marks of text direction are not allowed." : nil)
  }

  package func lengthViolation(in text: String) -> String? {
    // Bytes come first: they are counted without reading the text.
    guard text.utf8.count > maximumLength * Self.longestScalarBytes || text.unicodeScalars.count > maximumLength else {
      return nil
    }
    return "Ensure this field has no more than \(maximumLength) characters."
  }

  /// Adds to the errors of the field what is wrong with the text, if anything is.
  package func check(_ text: String?, _ field: Field, _ errors: inout FieldErrors) {
    if let message = text.flatMap(violation) { errors.add(field, message) }
  }
}

extension Unicode.Scalar {
  /// Whether it does something else than to show: C0, DEL and C1, separators of lines and paragraphs, and what turns the
  /// direction of text.
  package var isControl: Bool {
    switch value {
    case 0x20..<0x7F, 0xA0...0x34F: false
    case 0x2028, 0x2029: true
    default: properties.generalCategory == .control || properties.isBidiControl
    }
  }
}

extension StringProtocol {
  /// Whether it is ASCII and short. Only such a text may be compared, hashed or sorted as a text, where it comes from
  /// outside: `String` normalises what it compares, in a time that is quadratic in the length of a run of combining marks.
  package func isPlain(atMost bytes: Int) -> Bool {
    utf8.count <= bytes && utf8.allSatisfy { $0 < 0x80 }
  }

  /// For a log, a terminal or a reply: what is not to be shown is escaped as Swift writes it, `\u{1B}`, and what is too long
  /// is cut.
  package func escaped(atMost length: Int = 2000) -> String {
    var escaped = String.UnicodeScalarView()
    var rest = unicodeScalars[...]
    for _ in 0..<length {
      guard let scalar = rest.popFirst() else { return String(escaped) }
      if scalar.isControl {
        escaped.append(contentsOf: scalar.escaped(asASCII: true).unicodeScalars)
      } else {
        escaped.append(scalar)
      }
    }
    if !rest.isEmpty { escaped.append("…") }
    return String(escaped)
  }

  /// In quotes, for a message about a value that its sender knows: no more of it than tells which one is meant.
  package var quoted: String { "\"\(escaped(atMost: 64))\"" }
}
