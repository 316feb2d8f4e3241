import GRDB
import Synchronization

/// The connection of the pool that writes.
final class Writer: Sendable {
  private let connection: Mutex<DirectConnection>

  init(of pool: DatabasePool) throws {
    connection = Mutex(
      try pool.writeWithoutTransaction { database in
        // Before a page is changed for the first time after a savepoint, SQLite copies it, by default to a file: that was more
        // than was written to the log.
        try database.execute(sql: "PRAGMA temp_store = MEMORY")
        return try DirectConnection(of: database)
      })
  }

  /// To be called where the pool writes, and nowhere else.
  func commit(_ batch: [any PendingWrite]) {
    connection.withLock { connection in
      var answers: [@Sendable () -> Void] = []
      do {
        try connection.transaction(beginning: "BEGIN IMMEDIATE") {
          for write in batch { answers.append(try write.run(in: connection)) }
        }
        for answer in answers { answer() }
      } catch {
        for write in batch { write.fail(error) }
      }
    }
  }

  /// To be called before the pool is closed. What is written afterwards fails.
  func close() { connection.withLock { $0.close() } }
}
