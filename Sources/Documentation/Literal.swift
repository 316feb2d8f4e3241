/// How a programming language writes a value in its source.
struct Literal: Sendable {
  let brackets: (open: String, close: String)
  let key: @Sendable (String) -> String
  let quoted: @Sendable (String) -> String
  let words: (true: String, false: String, null: String)
  let step: String

  static let json = Literal(
    brackets: ("{", "}"), key: { doubleQuoted($0) + ": " }, quoted: doubleQuoted, words: ("true", "false", "null"),
    step: "  ")

  static let python = Literal(
    brackets: ("{", "}"), key: { doubleQuoted($0) + ": " }, quoted: doubleQuoted, words: ("True", "False", "None"),
    step: "    ")

  static let javaScript = Literal(
    brackets: ("{", "}"), key: { $0 + ": " }, quoted: singleQuoted, words: ("true", "false", "null"), step: "  ")

  static let php = Literal(
    brackets: ("[", "]"), key: { singleQuoted($0) + " => " }, quoted: singleQuoted, words: ("true", "false", "null"),
    step: "    ")

  /// - Parameter indentation: The indentation of the line on which the value begins.
  func text(of value: DocumentNode, indentation: String = "") -> String {
    switch value {
    case .null: words.null
    case .flag(let flag): flag ? words.true : words.false
    case .number(let digits): digits
    case .text(let text): quoted(text)
    case .list(let elements):
      "[" + elements.map { self.text(of: $0, indentation: indentation) }.joined(separator: ", ") + "]"
    case .object(let members):
      members.isEmpty
        ? brackets.open + brackets.close
        : brackets.open
          + members.map { member in
            "\n\(indentation)\(step)" + key(member.name) + text(of: member.value, indentation: indentation + step)
          }.joined(separator: ",") + "\n\(indentation)" + brackets.close
    }
  }

  private static func doubleQuoted(_ text: String) -> String {
    let escaped = text.unicodeScalars.map { scalar in
      switch scalar {
      case "\"", "\\": "\\\(scalar)"
      case "\n": "\\n"
      // JSON and Python read this escape in the same way.
      case _ where scalar.properties.generalCategory == .control:
        "\\u" + String(0x10000 + scalar.value, radix: 16).dropFirst()
      default: String(scalar)
      }
    }
    return "\"" + escaped.joined() + "\""
  }

  private static func singleQuoted(_ text: String) -> String {
    "'" + text.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'"
  }
}
