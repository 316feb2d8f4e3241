import HTML

/// The subset of CommonMark that descriptions of an API are written in: headings of the second level, paragraphs,
/// tables and fenced blocks, and within them code, strong text and links.
struct Markdown {
  enum Block: Equatable {
    case heading(String)
    case paragraph(String)
    case code(language: String, String)
    case table([[String]])
  }

  let blocks: [Block]

  init(_ text: String) {
    var blocks: [Block] = []
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)[...]
    while let line = lines.popFirst() {
      if line.hasPrefix("```") {
        let code = lines.prefix { !$0.hasPrefix("```") }
        lines = lines.dropFirst(code.count + 1)
        blocks.append(.code(language: String(line.dropFirst(3)), code.joined(separator: "\n")))
      } else if line.hasPrefix("## ") {
        blocks.append(.heading(String(line.dropFirst(3))))
      } else if line.hasPrefix("|") {
        let rows = [line] + lines.prefix { $0.hasPrefix("|") }
        lines = lines.dropFirst(rows.count - 1)
        blocks.append(.table(rows.filter { !$0.hasPrefix("|-") }.map(Self.cells)))
      } else if !line.isEmpty {
        let rest = lines.prefix { !$0.isEmpty }
        lines = lines.dropFirst(rest.count)
        blocks.append(.paragraph(([line] + rest).joined(separator: " ")))
      }
    }
    self.blocks = blocks
  }

  private static func cells(of row: Substring) -> [String] {
    row.split(separator: "|").map { String($0.trimmingPrefix(" ")) }.map { cell in
      String(cell.reversed().trimmingPrefix(" ").reversed())
    }
  }

  /// The anchor of `Lists and pages` is `lists-and-pages`.
  static func anchor(of heading: String) -> String {
    heading.lowercased().split { !$0.isLetter && !$0.isNumber }.joined(separator: "-")
  }

  // MARK: Spans

  enum Span: Equatable {
    case plain(String)
    case code(String)
    case strong(String)
    case link(String, to: String)
  }

  /// Parsed by hand: a regular expression is compiled at each use, which took half of the time that the service needs
  /// to start.
  static func spans(of text: String) -> [Span] {
    var spans: [Span] = []
    var (plain, rest) = (text.startIndex, text.utf8[...])
    while let start = rest.firstIndex(where: { marks.contains($0) }) {
      guard let (span, end) = span(at: text[start...]) else {
        rest = rest[start...].dropFirst()
        continue
      }
      if plain < start { spans.append(.plain(String(text[plain..<start]))) }
      spans.append(span)
      (plain, rest) = (end, rest[end...])
    }
    if plain < text.endIndex { spans.append(.plain(String(text[plain...]))) }
    return spans
  }

  private static let marks = Array("`*[".utf8)

  /// The code, strong text or link that the text begins with, and where it ends; nil if it begins with plain text.
  private static func span(at text: Substring) -> (Span, end: String.Index)? {
    if let (code, end) = content(of: text, between: "`", "`") { return (.code(code), end) }
    if let (strong, end) = content(of: text, between: "**", "**") { return (.strong(strong), end) }
    guard let (label, end) = content(of: text, between: "[", "]"),
      let (target, last) = content(of: text[end...], between: "(", ")"), !target.contains(where: \.isWhitespace)
    else { return nil }
    return (.link(label, to: target), last)
  }

  /// The content must not contain the first character of the closing mark.
  private static func content(
    of text: Substring, between opening: String, _ closing: String
  ) -> (String, end: String.Index)? {
    guard text.hasPrefix(opening) else { return nil }
    let rest = text.dropFirst(opening.count)
    let content = rest.prefix { $0 != closing.first }
    guard !content.isEmpty, rest[content.endIndex...].hasPrefix(closing) else { return nil }
    return (String(content), rest.index(content.endIndex, offsetBy: closing.count))
  }
}

extension HTML {
  /// Writes a line of Markdown. A link to another host is written as plain text.
  mutating func write(markdown text: String) {
    for span in Markdown.spans(of: text) {
      switch span {
      case .plain(let text): write(text)
      case .code(let text): element("code", text: text)
      case .strong(let text): element("strong", text: text)
      case .link(let label, let target):
        if target.hasPrefix("#") || target.hasPrefix("/") && !target.hasPrefix("//") {
          element("a", ["href": target], text: label)
        } else {
          write(label)
        }
      }
    }
  }
}
