import Foundation
import NIOCore

/// Writes comma-separated values by RFC 4180: a header line, and a line for each row.
struct CSVWriter {
  /// The content of a cell.
  enum Cell {
    /// A text that people wrote.
    case text(String)
    /// A text that only the service writes: a number, a time or a word of the API.
    case value(String)

    static func value(_ number: some BinaryInteger) -> Cell { .value(String(number)) }
    static let none = Cell.value("")
  }

  private(set) var buffer: ByteBuffer

  init(_ names: [String]) {
    buffer = ByteBufferAllocator().buffer(capacity: 1024)
    row(names.map { .value($0) })
  }

  mutating func row(_ cells: [Cell]) {
    for (index, cell) in cells.enumerated() {
      if index > 0 { buffer.writeString(",") }
      switch cell {
      case .value(let text): buffer.writeString(text)
      case .text(let text): write(text)
      }
    }
    buffer.writeString("\r\n")
  }

  /// A spreadsheet would execute a text that begins like a formula, even in quotes; after an apostrophe it stays a
  /// text.
  private mutating func write(_ text: String) {
    let first = text.unicodeScalars.first { $0 != " " }
    let isFormula = first.map { Self.beginsFormula.contains($0) } ?? false
    let harmless = isFormula ? "'" + text : text
    let isPlain = harmless.utf8.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: ",") }
    buffer.writeString(isPlain ? harmless : "\"" + harmless.replacing("\"", with: "\"\"") + "\"")
  }

  /// The last four are full-width characters, from Chinese and Japanese keyboards.
  private static let beginsFormula: Set<Unicode.Scalar> = [
    "=", "+", "-", "@", "\t", "\r", "\n", "\u{FF1D}", "\u{FF0B}", "\u{FF0D}", "\u{FF20}",
  ]
}
