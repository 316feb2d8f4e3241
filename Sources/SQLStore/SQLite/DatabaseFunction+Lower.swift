import GRDB

extension DatabaseFunction {
  /// Replaces SQLite's `lower`, which handles ASCII letters only.
  static let lower = DatabaseFunction("lower", argumentCount: 1, pure: true) { values in
    String.fromDatabaseValue(values[0])?.lowercased()
  }
}
