/// A page for man, in roff.
enum ManualPage {
  static func text(_ page: CommandPage, below all: [CommandPage]) -> String {
    let inner = all.filter { $0.path.starts(with: page.path) && $0.path.count == page.path.count + 1 }
    var text = ".TH \(escaped(page.path.joined(separator: "-").uppercased())) 1\n"
    text += ".SH NAME\n\(escaped(page.path.joined(separator: "-"))) \\- \(escaped(page.abstract))\n"
    text += ".SH SYNOPSIS\n.B \(escaped(page.usage))\n"
    if !page.discussion.isEmpty { text += ".SH DESCRIPTION\n" + discussion(page.discussion) }
    text += ".SH COMMANDS\n"
    for command in inner {
      text += ".SS \(escaped(command.usage))\n\(escaped(command.abstract))\n"
      if !command.discussion.isEmpty { text += ".PP\n" + discussion(command.discussion) }
      guard command.subcommands.isEmpty else {
        text += ".PP\nSee \\fB\(escaped(command.path.joined(separator: "-")))\\fP(1).\n"
        continue
      }
      for argument in command.arguments {
        text += ".TP\n\\fB\(escaped(argument.title))\\fP\n\(escaped(argument.text))\n"
      }
    }
    return text
  }

  private static func discussion(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      if line.isEmpty { return ".PP\n" }
      return line.hasPrefix("  ") ? ".EX\n\(escaped(String(line)))\n.EE\n" : escaped(String(line)) + "\n"
    }.joined()
  }

  private static func escaped(_ text: String) -> String {
    let text = text.map { $0 == "\\" ? "\\e" : $0 == "-" ? "\\-" : String($0) }.joined()
    return text.hasPrefix(".") || text.hasPrefix("'") ? "\\&" + text : text
  }
}
