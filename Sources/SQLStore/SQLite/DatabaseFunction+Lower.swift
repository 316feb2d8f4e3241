import GRDB

extension DatabaseFunction {
  /// Takes the place of SQLite's, which knows the letters of English only.
  static let lower = DatabaseFunction("lower", argumentCount: 1, pure: true) { values in
    String.fromDatabaseValue(values[0])?.lowercased()
  }
}
