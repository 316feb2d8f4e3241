import Foundation
import GRDB

extension SQLStore {
  /// Lets go of the file, with all that was written in it and nothing beside it. The store is of no use afterwards.
  package func release() throws {
    try readers.close()
    try pool.writeWithoutTransaction { database in try database.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)") }
    try pool.close()
  }

  /// Writes all that is committed now into a new file, which only its owner can read, and which can take the place of the
  /// database. Others go on writing meanwhile. Throws `UnusableFile` where the file exists already.
  package func backUp(to path: String) async throws {
    let file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw UnusableFile(path: path, reason: String(cString: strerror(errno))) }
    defer { close(file) }
    do {
      try await pool.writeWithoutTransaction { database in
        // A reader in SQLite's eyes: it sees one moment and keeps nobody from writing.
        try database.execute(sql: "VACUUM INTO ?", arguments: [path])
      }
      guard fsync(file) == 0 else { throw UnusableFile(path: path, reason: String(cString: strerror(errno))) }
    } catch {
      unlink(path)
      throw error
    }
  }
}
