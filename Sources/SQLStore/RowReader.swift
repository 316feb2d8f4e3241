import Core

import struct Foundation.UUID

/// One row of a result, valid until the next one is read.
protocol SQLRow {
  /// Nil for a value that is no `SQLValue`.
  func value(at index: Int) -> SQLValue?
  /// The uuid whose text this is; nil for any other value.
  func uuid(at index: Int) -> UUID?
  func name(at index: Int) -> String
}

extension SQLRow {
  func uuid(at index: Int) -> UUID? { value(at: index).flatMap(UUID.init(stored:)) }
}

/// Reads a row from left to right, in the order in which a type's initialiser and its list of columns name its values. Whatever
/// the database contains cannot crash the process: a value that does not fit throws.
struct RowReader {
  private let row: any SQLRow
  private var index = 0

  init(_ row: any SQLRow) {
    self.row = row
  }

  mutating func next<Value: ColumnValue>(_ type: Value.Type = Value.self) throws -> Value {
    guard let value = Value(from: row, at: index) else {
      throw UnreadableColumn(name: row.name(at: index), expected: "\(Value.self)")
    }
    index += 1
    return value
  }
}

struct UnreadableColumn: Error, CustomStringConvertible {
  let name: String
  let expected: String

  var description: String { "the column \(name) holds no \(expected)" }
}

/// A value of the domain that is read from these columns, in this order.
protocol RowReadable {
  static var columns: String { get }
  init(from row: inout RowReader) throws
}

extension Optional {
  /// For values that cannot be absent unless the database was changed by hand.
  func orFail(_ detail: @autoclosure () -> String) throws -> Wrapped {
    guard let self else { throw Failure.internalError(detail()) }
    return self
  }
}
