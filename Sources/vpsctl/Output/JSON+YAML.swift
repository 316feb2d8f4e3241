import APIClient

extension JSON {
  /// The value as YAML. Texts that could be read as another type are quoted.
  var yaml: String {
    switch self {
    case .array(let elements) where !elements.isEmpty:
      elements.map { "- " + $0.nested(indentation: 2) }.joined()
    case .object(let members) where !members.isEmpty:
      members.map { Self.member($0, indentation: 0) }.joined()
    default: scalar + "\n"
    }
  }

  private static func member(_ member: Member, indentation: Int) -> String {
    let name = plain(member.name) ? member.name : quoted(member.name)
    guard member.value.isNested else { return "\(name): \(member.value.scalar)\n" }
    return "\(name):\n" + String(repeating: " ", count: indentation + 2)
      + member.value.nested(indentation: indentation + 2)
  }

  private var isNested: Bool {
    switch self {
    case .array(let elements): !elements.isEmpty
    case .object(let members): !members.isEmpty
    default: false
    }
  }

  /// YAML without indentation before the first line, which continues the current line.
  private func nested(indentation: Int) -> String {
    let space = String(repeating: " ", count: indentation)
    switch self {
    case .array(let elements) where !elements.isEmpty:
      return elements.map { "- " + $0.nested(indentation: indentation + 2) }.joined(separator: space)
    case .object(let members) where !members.isEmpty:
      return members.map { Self.member($0, indentation: indentation) }.joined(separator: space)
    default: return scalar + "\n"
    }
  }

  private var scalar: String {
    switch self {
    case .string(let text): Self.plain(text) ? text : Self.quoted(text)
    case .array: "[]"
    case .object: "{}"
    default: text
    }
  }

  /// Whether every YAML parser reads the unquoted text as a text.
  private static func plain(_ text: String) -> Bool {
    guard let first = text.utf8.first, isLetter(first), text.utf8.last != UInt8(ascii: " ") else { return false }
    let others = Array(" _-./".utf8)
    guard text.utf8.allSatisfy({ isLetter($0) || (48...57).contains($0) || others.contains($0) }) else { return false }
    return !["true", "false", "yes", "no", "on", "off", "null", "y", "n"].contains(text.lowercased())
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (65...90).contains(byte) || (97...122).contains(byte)
  }
}
