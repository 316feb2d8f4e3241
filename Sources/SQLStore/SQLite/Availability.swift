import Core
import GRDB

/// Distinguishes errors that pass by themselves, or when the operator makes room, from faults of the program.
enum Availability {
  private static let passing: [ResultCode] = [
    .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_FULL, .SQLITE_READONLY, .SQLITE_IOERR, .SQLITE_CANTOPEN,
  ]

  static func translated(_ error: any Error) -> any Error {
    guard let error = error as? DatabaseError else { return error }
    // Without the statement and its arguments: this is logged.
    let text = "SQLite \(error.extendedResultCode): \((error.message ?? "no message").prefix(200))"
    return passing.contains(error.resultCode) ? StoreUnavailable(text) : Failure.internalError(text)
  }
}
