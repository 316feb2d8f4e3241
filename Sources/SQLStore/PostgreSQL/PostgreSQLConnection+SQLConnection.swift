extension PostgreSQLConnection: TransactionConnection {
  func query(
    _ sql: String, _ arguments: SQLArguments, isKept: Bool, _ read: (inout RowReader) throws -> Void
  ) throws {
    let result = try answer(to: sql, arguments, isKept: isKept)
    for number in 0..<result.rowCount {
      var reader = RowReader(PostgreSQLRow(result: result, number: CInt(number)))
      try read(&reader)
    }
  }

  @discardableResult
  func run(_ sql: String, _ arguments: SQLArguments) throws -> Int {
    try answer(to: sql, arguments, isKept: true).changedCount
  }

  func runScript(_ sql: String) throws {
    try execute(sql, within: Self.scriptLimit)
  }

  func isTransactionLost(after error: any Error) -> Bool {
    !isInsideTransaction || (error as? PostgreSQLError)?.isConflict == true
  }

  /// It has no file of ours. What it stores it checks when it reads it, where it was made with checksums; and what refers to
  /// nothing it does not take.
  func damage() throws -> [String] { [] }
}
