import Core

/// One row of an answer, as a connection reads it: good until the next one is read.
protocol SQLRow {
  /// Nil where the database holds what is no `SQLValue`.
  func value(at index: Int) -> SQLValue?
  func name(at index: Int) -> String
}

/// Reads a row from left to right, so that a value's initialiser and its list of columns are one sequence. Nothing that
/// stands in the file can stop the process: what does not fit is thrown.
struct RowReader {
  private let row: any SQLRow
  private var index = 0

  init(_ row: any SQLRow) {
    self.row = row
  }

  mutating func next<Value: ColumnValue>(_ type: Value.Type = Value.self) throws -> Value {
    guard let value = row.value(at: index).flatMap(Value.init(stored:)) else {
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
  /// For what cannot be absent unless the file was changed by other hands.
  func orFail(_ detail: @autoclosure () -> String) throws -> Wrapped {
    guard let self else { throw Failure.internalError(detail()) }
    return self
  }
}
