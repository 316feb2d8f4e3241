import GRDB

extension SQLiteDatabase {
  /// Runs the body in a transaction beside which nobody else writes, and which is rolled back where the body throws.
  static func exclusively<Value>(_ path: String, _ body: (any SQLConnection) throws -> Value) throws -> Value {
    var configuration = Configuration()
    configuration.busyMode = .timeout(5)
    configuration.prepareDatabase { database in database.add(function: .lower) }
    do {
      let connection = try DatabaseQueue(path: path, configuration: configuration)
      defer { try? connection.close() }
      return try connection.inDatabase { database in
        var value: Value?
        try database.inTransaction(.immediate) {
          value = try body(database)
          return .commit
        }
        return try value.orFail("nothing came of a transaction")
      }
    } catch let error as DatabaseError {
      throw UnusableFile(path: path, reason: error.message ?? "SQLite error \(error.extendedResultCode)")
    }
  }
}
