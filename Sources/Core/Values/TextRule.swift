/// A rule for text that somebody enters: a maximum number of Unicode scalars, and no control characters.
package struct TextRule: Sendable {
  /// The most bytes of a scalar in UTF-8.
  private static let longestScalarBytes = 4

  /// In Unicode scalars, as JSON Schema counts length.
  package let maximumLength: Int

  package init(maximumLength: Int) {
    self.maximumLength = maximumLength
  }

  /// Why the text breaks the rule, as a message for its author; nil if it does not.
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

  /// Adds what is wrong with the text, if anything is, to the errors of the field.
  package func check(_ text: String?, _ field: Field, _ errors: inout FieldErrors) {
    if let message = text.flatMap(violation) { errors.add(field, message) }
  }
}

extension Unicode.Scalar {
  /// Whether it is not a character to show: C0, DEL and C1, separators of lines and paragraphs, and marks of text
  /// direction.
  package var isControl: Bool {
    switch value {
    case 0x20..<0x7F, 0xA0...0x34F: false
    case 0x2028, 0x2029: true
    default: properties.generalCategory == .control || properties.isBidiControl
    }
  }
}

extension StringProtocol {
  /// Whether the text is ASCII and short. Text from outside must be checked by this before it is compared, hashed or
  /// sorted: `String` normalises what it compares, in time quadratic in the length of a run of combining marks.
  package func isPlain(atMost bytes: Int) -> Bool {
    utf8.count <= bytes && utf8.allSatisfy { $0 < 0x80 }
  }

  /// For a log, a terminal or a reply: control characters are escaped as in Swift, `\u{1B}`, and text that is too long
  /// is cut.
  package func escaped(atMost length: Int = 2000) -> String {
    if utf8.count <= length, utf8.allSatisfy({ 0x20 <= $0 && $0 < 0x7F }) { return String(self) }
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

  /// In quotes, and cut to what identifies it, for a message about a value to the client that sent it.
  package var quoted: String { "\"\(escaped(atMost: 64))\"" }
}
