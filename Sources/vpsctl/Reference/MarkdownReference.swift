enum MarkdownReference {
  static func text(_ pages: [CommandPage]) -> String {
    var text = """
      # vpsctl: every command

      Made from the commands themselves by `scripts/vpsctl-reference`; a test holds it true. The first steps are in
      [ten minutes](vpsctl-first-ten-minutes.md), and what is said of a
      service in trouble in [a table](vpsctl-exits.md).

      """
    for page in pages {
      text +=
        "\n" + String(repeating: "#", count: min(4, page.path.count + 1)) + " `\(page.name)`\n\n\(page.abstract)\n"
      text += "\n```\n\(page.usage)\n```\n"
      if !page.discussion.isEmpty { text += "\n" + discussion(page.discussion) + "\n" }
      if !page.arguments.isEmpty && page.subcommands.isEmpty {
        text += "\n| option | |\n|---|---|\n"
        for argument in page.arguments { text += "| `\(escaped(argument.title))` | \(escaped(argument.text)) |\n" }
      }
      if !page.subcommands.isEmpty {
        text +=
          "\n" + page.subcommands.map { "[`\($0)`](#\(anchor(page.name + " " + $0)))" }.joined(separator: ", ") + "\n"
      }
    }
    return text
  }

  /// Indented lines are examples, which become code.
  private static func discussion(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.hasPrefix("  ") ? "    " + $0.dropFirst(2) : String($0) }.joined(separator: "\n")
  }

  private static func escaped(_ text: String) -> String {
    text.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
  }

  private static func anchor(_ name: String) -> String {
    name.split(separator: " ").joined(separator: "-")
  }
}
