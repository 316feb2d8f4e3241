import Core
import GRDB
import GRDBSQLite

import struct Foundation.UUID

/// A connection that calls SQLite directly: what GRDB does around a statement costs more than most statements. GRDB opens and
/// closes it.
final class DirectConnection {
  let handle: OpaquePointer
  private var kept: [String: OpaquePointer] = [:]
  private var isClosed = false

  init(of database: Database) throws {
    guard let handle = database.sqliteConnection else { throw DatabaseError(resultCode: .SQLITE_MISUSE) }
    self.handle = handle
  }

  /// Where GRDB's connection was not closed but given up, SQLite frees it with its last statement.
  deinit { forgetStatements() }

  /// To be called before GRDB closes the connection, which fails while there are statements of others.
  func close() {
    isClosed = true
    forgetStatements()
  }

  private func forgetStatements() {
    for statement in kept.values { sqlite3_finalize(statement) }
    kept = [:]
  }

  func transaction<Value>(beginning begin: String, _ body: () throws -> Value) throws -> Value {
    try run(begin)
    do {
      let value = try body()
      try run("COMMIT")
      return value
    } catch {
      // A disk error may have ended the transaction already.
      if isInTransaction { try run("ROLLBACK") }
      throw error
    }
  }

  private var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }
}

extension DirectConnection: TransactionConnection {
  func query(
    _ sql: String, _ arguments: SQLArguments, isKept: Bool, _ read: (inout RowReader) throws -> Void
  ) throws {
    let (statement, stays) = try statement(sql, isKept: isKept)
    defer {
      if stays { sqlite3_reset(statement) } else { sqlite3_finalize(statement) }
    }
    try bind(arguments, to: statement)
    while try hasRow(statement) {
      var reader = RowReader(SQLiteRow(statement: statement))
      try read(&reader)
    }
  }

  @discardableResult
  func run(_ sql: String, _ arguments: SQLArguments) throws -> Int {
    try query(sql, arguments, isKept: true) { _ in }
    return Int(sqlite3_changes(handle))
  }

  func runScript(_ sql: String) throws {
    guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else { throw failure }
  }

  func isTransactionLost(after error: any Error) -> Bool { !isInTransaction }

  func damage() throws -> [String] { try damageOfFile() }

  /// Tells whether the statement stays, or is to be finalized.
  private func statement(_ sql: String, isKept: Bool) throws -> (OpaquePointer, stays: Bool) {
    // SQLite would read freed memory.
    guard !isClosed else { throw DatabaseError(resultCode: .SQLITE_MISUSE, message: "the connection is closed") }
    // A statement that an outer query is still reading cannot be used for another one.
    let known = isKept ? kept[sql] : nil
    if let known, sqlite3_stmt_busy(known) == 0 { return (known, stays: true) }
    var statement: OpaquePointer?
    let flags = isKept ? CUnsignedInt(SQLITE_PREPARE_PERSISTENT) : 0
    guard sqlite3_prepare_v3(handle, sql, -1, flags, &statement, nil) == SQLITE_OK, let statement else { throw failure }
    let stays = isKept && known == nil
    if stays { kept[sql] = statement }
    return (statement, stays)
  }

  private func bind(_ arguments: SQLArguments, to statement: OpaquePointer) throws {
    guard sqlite3_bind_parameter_count(statement) == arguments.count else {
      throw DatabaseError(resultCode: .SQLITE_MISUSE, message: "wrong number of statement arguments")
    }
    var index: CInt = 0
    for argument in arguments {
      index += 1
      let code =
        switch argument?.stored ?? .null {
        case .null: sqlite3_bind_null(statement, index)
        case .integer(let number): sqlite3_bind_int64(statement, index, number)
        case .text(let text): Self.bind(text, to: statement, index)
        case .blob(let bytes): sqlite3_bind_blob64(statement, index, bytes, UInt64(bytes.count), Self.copied)
        }
      guard code == SQLITE_OK else { throw failure }
    }
  }

  /// SQLITE_TRANSIENT, which C knows as a macro.
  private static var copied: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }

  private static func bind(_ text: String, to statement: OpaquePointer, _ index: CInt) -> CInt {
    var text = text
    return text.withUTF8 { bytes in
      // A null pointer would be bound as NULL, and not as an empty text.
      guard !bytes.isEmpty else { return sqlite3_bind_text(statement, index, "", 0, copied) }
      return bytes.withMemoryRebound(to: CChar.self) { characters in
        sqlite3_bind_text64(
          statement, index, characters.baseAddress, UInt64(characters.count), copied, UInt8(SQLITE_UTF8))
      }
    }
  }

  private func hasRow(_ statement: OpaquePointer) throws -> Bool {
    switch sqlite3_step(statement) {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    default: throw failure
    }
  }

  private var failure: DatabaseError {
    DatabaseError(
      resultCode: ResultCode(rawValue: sqlite3_extended_errcode(handle)),
      message: String(cString: sqlite3_errmsg(handle)))
  }
}

/// The current row of a statement.
private struct SQLiteRow: SQLRow {
  let statement: OpaquePointer

  func value(at index: Int) -> SQLValue? {
    let column = CInt(index)
    switch sqlite3_column_type(statement, column) {
    case SQLITE_NULL: return column < sqlite3_column_count(statement) ? .null : nil
    case SQLITE_INTEGER: return .integer(sqlite3_column_int64(statement, column))
    case SQLITE_TEXT:
      guard let text = sqlite3_column_text(statement, column) else { return nil }
      let bytes = UnsafeBufferPointer(start: text, count: Int(sqlite3_column_bytes(statement, column)))
      return .text(String(decoding: bytes, as: UTF8.self))
    case SQLITE_BLOB:
      let bytes = UnsafeRawBufferPointer(
        start: sqlite3_column_blob(statement, column), count: Int(sqlite3_column_bytes(statement, column)))
      return .blob([UInt8](bytes))
    default: return nil
    }
  }

  func uuid(at index: Int) -> UUID? {
    let column = CInt(index)
    guard sqlite3_column_type(statement, column) == SQLITE_TEXT, let text = sqlite3_column_text(statement, column)
    else {
      return nil
    }
    return UUID(text: UnsafeBufferPointer(start: text, count: Int(sqlite3_column_bytes(statement, column))))
  }

  func name(at index: Int) -> String {
    sqlite3_column_name(statement, CInt(index)).map { String(cString: $0) } ?? "\(index)"
  }
}
