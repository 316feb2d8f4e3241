import HTML

/// The part of CommonMark that descriptions of an API are written in: headings of the second level, paragraphs, tables and
/// fenced blocks, and in them code, strong text and links.
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

  /// `Lists and pages` is at `#lists-and-pages`.
  static func anchor(of heading: String) -> String {
    heading.lowercased().split { !$0.isLetter && !$0.isNumber }.joined(separator: "-")
  }

  // MARK: In a line

  enum Span: Equatable {
    case plain(String)
    case code(String)
    case strong(String)
    case link(String, to: String)
  }

  static func spans(of text: String) -> [Span] {
    var spans: [Span] = []
    var rest = text[...]
    while let match = rest.firstMatch(of: /`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\(([^)\s]+)\)/) {
      if match.range.lowerBound > rest.startIndex {
        spans.append(.plain(String(rest[..<match.range.lowerBound])))
      }
      if let code = match.output.1 { spans.append(.code(String(code))) }
      if let strong = match.output.2 { spans.append(.strong(String(strong))) }
      if let label = match.output.3, let target = match.output.4 {
        spans.append(.link(String(label), to: String(target)))
      }
      rest = rest[match.range.upperBound...]
    }
    if !rest.isEmpty { spans.append(.plain(String(rest))) }
    return spans
  }
}

extension HTML {
  /// A line of Markdown. A link leads to somewhere on this host, or is no link.
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
