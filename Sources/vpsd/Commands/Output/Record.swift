import API
import Core
import Foundation
import NIOCore

/// The output of a command about one thing: a table row for people, and for programs an object whose field names and types stay
/// stable.
protocol Record {
  static var headings: [String] { get }
  var cells: [String] { get }
  func write(_ writer: inout JSONWriter)
}

extension Record {
  /// The object on one line.
  var json: String {
    String(buffer: JSONWriter.object { write(&$0) })
  }
}

/// A record that can also be shown alone.
protocol DetailedRecord: Record {
  /// In the order of display; those without a value are left out.
  var details: [(label: String, value: String?)] { get }
}

extension JSONWriter {
  /// A decimal number as text, which is exact in every language: `"0.005"`.
  mutating func field(_ name: StaticString, text amount: Money) { field(name, amount.decimal) }
  mutating func field(_ name: StaticString, _ uuid: UUID) { field(name, uuid.text) }
}
