import GRDBSQLite
import Synchronization

/// The header of the index of SQLite's log, in memory that all connections of all processes share. Others see a commit when it
/// has written the header, which counts commits: https://sqlite.org/walformat.html#the_wal_index_header
struct LogIndex {
  private static let regionBytes: Int32 = 32768
  private static let copyBytes = 48
  private static let triesAtOpening = 1000
  /// Of the only format that there has been so far.
  private static let version: UInt32 = 3_007_000

  private let header: UnsafeRawPointer

  /// Nil where the index has another format. It is valid while the connection, which has read its log, is open.
  init?(of connection: OpaquePointer) {
    var file: UnsafeMutablePointer<sqlite3_file>?
    let found = withUnsafeMutablePointer(to: &file) {
      sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, $0)
    }
    guard found == SQLITE_OK, let file, let methods = file.pointee.pMethods?.pointee, methods.iVersion >= 2,
      let map = methods.xShmMap
    else { return nil }
    var region: UnsafeMutableRawPointer?
    guard map(file, 0, Self.regionBytes, 0, &region) == SQLITE_OK, let region else { return nil }
    header = UnsafeRawPointer(region)
    // Another process may be writing it.
    guard (1...Self.triesAtOpening).contains(where: { _ in change != nil }) else { return nil }
  }

  /// Another number after each commit: how many there were since the log was last recovered, beside the log's checksum, by which
  /// the same count before and after a recovery differs. Nil while a commit is written.
  var change: Int64? {
    // Writers write the second copy first: two that are alike are of one commit.
    let first = copy(at: 0)
    atomicMemoryFence(ordering: .acquiring)
    guard first == copy(at: Self.copyBytes), first.version == Self.version, first.isInitialised else { return nil }
    return Int64(bitPattern: UInt64(first.changes) << 32 | UInt64(first.checksum))
  }

  private struct Copy: Equatable {
    let version: UInt32
    let changes: UInt32
    let isInitialised: Bool
    let frames: UInt32
    let checksum: UInt32
  }

  private func copy(at offset: Int) -> Copy {
    Copy(
      version: header.load(fromByteOffset: offset, as: UInt32.self),
      changes: header.load(fromByteOffset: offset + 8, as: UInt32.self),
      isInitialised: header.load(fromByteOffset: offset + 12, as: UInt8.self) == 1,
      frames: header.load(fromByteOffset: offset + 16, as: UInt32.self),
      checksum: header.load(fromByteOffset: offset + 28, as: UInt32.self))
  }
}
