import CPostgreSQL
import Foundation

extension PostgreSQLConnection {
  /// Writes rows as `COPY … FROM STDIN (FORMAT binary)` takes them: all that the body hands over, or none where it throws.
  func copy(_ sql: String, _ rows: (_ take: ([SQLValue]) throws -> Void) throws -> Void) throws {
    try sent(PQsendQuery(pointer, sql))
    let deadline = ContinuousClock.now + Self.limit
    try flush(until: deadline)
    guard let result = try nextResult(until: deadline) else { throw lost("no answer") }
    guard result.status == PGRES_COPY_IN else {
      while try nextResult(until: deadline) != nil {}
      throw PostgreSQLError(result)
    }
    do {
      var pending = CopyBytes()
      try rows { row in
        pending.append(row)
        if pending.isFull { try put(&pending) }
      }
      pending.end()
      try put(&pending)
    } catch {
      // The server then discards all rows.
      if !isLost {
        try sent(PQputCopyEnd(pointer, "given up"))
        _ = try? answer(within: Self.limit)
      }
      throw error
    }
    try sent(PQputCopyEnd(pointer, nil))
    // The server checks foreign keys now, which may take long.
    _ = try answer(within: Self.scriptLimit)
  }

  private func put(_ pending: inout CopyBytes) throws {
    let deadline = ContinuousClock.now + Self.limit
    while true {
      let isTaken = pending.bytes.withUnsafeBytes { bytes in
        PQputCopyData(pointer, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), CInt(bytes.count))
      }
      if isTaken == 1 { break }
      guard isTaken == 0 else { throw lost(complaint) }
      try wait(for: POLLOUT, until: deadline)
    }
    try flush(until: deadline)
    pending.removeAll()
  }
}

/// Reads a result in batches of rows, inside the current transaction.
struct PostgreSQLCursor {
  /// A batch of the largest rows takes a few megabytes.
  private static let batchSize = 100

  private let connection: PostgreSQLConnection

  /// A connection can have one at a time.
  init(_ connection: PostgreSQLConnection, _ sql: String) throws {
    self.connection = connection
    try connection.execute("DECLARE moved NO SCROLL CURSOR FOR \(sql)", within: PostgreSQLConnection.scriptLimit)
  }

  /// Empty at the end.
  func next(_ read: (inout RowReader) throws -> [SQLValue]) throws -> [[SQLValue]] {
    try connection.rows("FETCH \(Self.batchSize) FROM moved", isKept: false, read)
  }

  func close() throws { try connection.execute("CLOSE moved") }
}
