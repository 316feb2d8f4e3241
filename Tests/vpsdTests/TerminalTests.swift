import Core
import Foundation
import TestSupport
import Testing

@testable import vpsd

/// What customers and guests chose to call things, where an operator reads it.
@Suite("Lines that nobody can forge")
struct TerminalTests {
  private static let forged = "ci\n2026-01-16 03:00  -  operator  host  server.delete\u{1B}[2J\u{9B}\u{202E}\u{2028}\r"

  @Test("A name with newlines and escapes is one cell of one row of vpsd audit")
  func audit() {
    let entries = [Self.forged, "ci"].map { name in
      AuditEntry(
        id: ID(1), at: Timestamp(millisecondsSinceEpoch: 1_737_041_400_000), email: "a\u{1B}@b", tokenName: name,
        tokenID: ID(1), tokenEmail: nil,
        action: "server.create", detail: name, serverID: ID(7), outcome: .succeeded, origin: "127.0.0.1")
    }
    var table = TextTable(AuditEntry.headings)
    for entry in entries { table.add(entry.cells) }
    let text = table.text
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count == 3)
    #expect(lines.allSatisfy { !$0.hasControl })
    #expect(lines[1].contains(#"(ci\n2026-01-16 03:00"#))
    #expect(lines[1].contains(#"\u{1B}[2J\u{009B}\u{202E}\u{2028}\r"#))
    #expect(lines[1].hasPrefix("2025-01-16 15:30  a\\u{1B}@b"))
  }

  @Test("A cell without end is cut")
  func long() {
    var table = TextTable("NAME")
    table.add(String(repeating: "a\u{345}\u{334}", count: 300_000))
    #expect(table.text.unicodeScalars.count < 5000)
    #expect(table.text.hasSuffix("…"))
  }

  @Test("An entry of the log is one line, whatever is in it, and has an end")
  func log() {
    #expect(LogLines.line("info vpsd: path=/a [API] request\n") == "info vpsd: path=/a [API] request\n")
    let line = LogLines.line("info vpsd: error=\(Self.forged) request\n")
    #expect(line.hasSuffix(" request\n"))
    #expect(!line.dropLast().hasControl)
    #expect(LogLines.line(String(repeating: "é", count: 1_000_000)).utf8.count < 10_000)
    #expect(LogLines.line("") == "\n")
  }

  @Test(
    "An e-mail address is short, has something on both sides of its @, and no space or control character",
    arguments: [
      ("a@b", true), ("jürgen@example.com", true), ("a@localhost", true), ("", false), ("a", false), ("@b", false),
      ("a@", false), ("a b@c", false), ("a\u{1B}@b", false), ("a@b\n", false), ("a@\u{202E}b", false),
      (String(repeating: "a", count: 253) + "@b", false),
      ("a" + String(repeating: "\u{345}\u{334}", count: 100) + "@b", false),
    ])
  func addresses(text: String, isRight: Bool) {
    #expect(Account.isPossible(email: text) == isRight)
  }

  @Test("Names that an operator gives keep the rule for names")
  func names() throws {
    for text in ["a\u{1B}[31m", "a\nb", String(repeating: "a", count: 256)] {
      #expect(throws: (any Error).self) { try requireRule(Account.nameRule, text, "--company") }
    }
    try requireRule(Account.nameRule, "Müller & Söhne", "--company")
    try requireRule(Account.nameRule, nil, "--company")
  }
}
