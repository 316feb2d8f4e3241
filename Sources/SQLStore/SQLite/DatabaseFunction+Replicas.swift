import Core
import GRDB

/// Functions of our schema in PostgreSQL that the shared SQL text calls.
extension DatabaseFunction {
  static let clock = DatabaseFunction("vpsd_now", argumentCount: 0) { _ in SystemClock().now.millisecondsSinceEpoch }

  /// Does nothing: a file has only one service, so there is nobody to notify.
  static let silence = DatabaseFunction("vpsd_notify", argumentCount: 1) { _ in 0 }
}
