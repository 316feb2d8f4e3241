import Core
import GRDB

/// What a server of PostgreSQL has by itself, for the one text that is said to both.
extension DatabaseFunction {
  static let clock = DatabaseFunction("vpsd_now", argumentCount: 0) { _ in SystemClock().now.millisecondsSinceEpoch }

  /// One service has the file: there is nobody to be told.
  static let silence = DatabaseFunction("vpsd_notify", argumentCount: 1) { _ in 0 }
}
