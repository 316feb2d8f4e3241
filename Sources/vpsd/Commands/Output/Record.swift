import API
import Core
import Foundation
import NIOCore

/// What a command tells of a thing: to people a row of a table, to programs an object whose names and types stay as they are.
protocol Record {
  static var headings: [String] { get }
  var cells: [String] { get }
  func write(_ writer: inout JSONWriter)
}

extension Record {
  /// In one line.
  var json: String {
    String(buffer: JSONWriter.object { write(&$0) })
  }
}

/// One that can be shown by itself.
protocol DetailedRecord: Record {
  /// In the order in which they are read; those without a value are left out.
  var details: [(label: String, value: String?)] { get }
}

extension JSONWriter {
  /// Exact in every language: `"0.005"`.
  mutating func field(_ name: StaticString, text amount: Money) { field(name, amount.decimal) }
  mutating func field(_ name: StaticString, _ uuid: UUID) { field(name, uuid.text) }
}
