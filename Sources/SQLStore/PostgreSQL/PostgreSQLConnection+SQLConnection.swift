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

  /// There is no file of ours to check. The server verifies its pages when it reads them, if it was set up with checksums, and
  /// it enforces foreign keys.
  func damage() throws -> [String] { [] }
}
