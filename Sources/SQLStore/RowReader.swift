import Core
import GRDB

/// Reads a row from left to right, so that a value's initialiser and its list of columns are one sequence. Nothing that
/// stands in the file can stop the process: what does not fit is thrown.
struct RowReader {
  private let row: Row
  private var index = 0

  init(_ row: Row) {
    self.row = row
  }

  mutating func next<Value: DatabaseValueConvertible>(_ type: Value.Type = Value.self) throws -> Value {
    let stored: DatabaseValue = row[index]
    guard let value = Value.fromDatabaseValue(stored) else {
      throw UnreadableColumn(name: Array(row.columnNames)[index], expected: "\(Value.self)")
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

extension Database {
  func all<Value: RowReadable>(_ sql: String, _ arguments: StatementArguments = []) throws -> [Value] {
    try rows(sql, arguments) { row in try Value(from: &row) }
  }

  func first<Value: RowReadable>(_ sql: String, _ arguments: StatementArguments = []) throws -> Value? {
    let values: [Value] = try all(sql, arguments)
    return values.first
  }

  /// The first column of the first row.
  func value<Value: DatabaseValueConvertible>(
    _ type: Value.Type = Value.self, _ sql: String, _ arguments: StatementArguments = []
  ) throws -> Value? {
    try rows(sql, arguments) { row in try row.next(Value.self) }.first
  }

  /// - Parameter isKept: Whether the statement is prepared for good; only for those of a small set, as it is never let go.
  func rows<Value>(
    _ sql: String, _ arguments: StatementArguments = [], isKept: Bool = true,
    _ read: (inout RowReader) throws -> Value
  ) throws -> [Value] {
    let statement = try isKept ? cachedStatement(sql: sql) : makeStatement(sql: sql)
    let cursor = try Row.fetchCursor(statement, arguments: arguments)
    var values: [Value] = []
    while let row = try cursor.next() {
      var reader = RowReader(row)
      values.append(try read(&reader))
    }
    return values
  }

  /// Returns how many rows were changed.
  @discardableResult
  func run(_ sql: String, _ arguments: StatementArguments = []) throws -> Int {
    try cachedStatement(sql: sql).execute(arguments: arguments)
    return changesCount
  }
}

extension Optional {
  /// For what cannot be absent unless the file was changed by other hands.
  func orFail(_ detail: @autoclosure () -> String) throws -> Wrapped {
    guard let self else { throw Failure.internalError(detail()) }
    return self
  }
}
