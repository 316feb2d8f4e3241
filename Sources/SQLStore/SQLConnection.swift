/// A database connection inside a transaction, which carries out the SQL of this store. It is all that the store needs of a
/// database, so that another database takes an adapter, and no second SQL text.
///
/// Parameters are written `?`, or `?1` where one stands in several places.
protocol SQLConnection {
  /// Reads the rows of the answer one after the other.
  ///
  /// - Parameter isKept: Whether the statement stays prepared for good; only for a small set of statements.
  func query(
    _ sql: String, _ arguments: SQLArguments, isKept: Bool, _ read: (inout RowReader) throws -> Void) throws

  /// Returns how many rows were changed. The statement stays prepared for good.
  @discardableResult
  func run(_ sql: String, _ arguments: SQLArguments) throws -> Int

  /// Several statements without parameters, such as a migration has.
  func runScript(_ sql: String) throws

  /// What the database finds to be damaged in its own file, a line each.
  func damage() throws -> [String]
}

extension SQLConnection {
  func all<Value: RowReadable>(_ sql: String, _ arguments: SQLArguments = []) throws -> [Value] {
    try rows(sql, arguments) { row in try Value(from: &row) }
  }

  func first<Value: RowReadable>(_ sql: String, _ arguments: SQLArguments = []) throws -> Value? {
    let values: [Value] = try all(sql, arguments)
    return values.first
  }

  /// The first column of the first row.
  func value<Value: ColumnValue>(
    _ type: Value.Type = Value.self, _ sql: String, _ arguments: SQLArguments = []
  ) throws -> Value? {
    try rows(sql, arguments) { row in try row.next(Value.self) }.first
  }

  func rows<Value>(
    _ sql: String, _ arguments: SQLArguments = [], isKept: Bool = true, _ read: (inout RowReader) throws -> Value
  ) throws -> [Value] {
    var values: [Value] = []
    try query(sql, arguments, isKept: isKept) { row in values.append(try read(&row)) }
    return values
  }

  @discardableResult
  func run(_ sql: String) throws -> Int { try run(sql, []) }
}
