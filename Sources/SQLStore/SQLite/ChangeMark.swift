import GRDB
import Synchronization

/// Tells whether anything was committed since it was last asked, by the count of commits in the index of SQLite's log. Where
/// that cannot be read, by the number that SQLite gives on a connection that never writes: it changes with the commits of all
/// other connections, so that those of this process count like those of others. Numbers of different connections cannot be
/// compared, so there is only one.
final class ChangeMark: Sendable {
  private struct Source {
    let connection: ReadingConnection
    let index: LogIndex?
  }

  private let source: Mutex<Source?>

  init(path: String, _ configuration: Configuration) throws {
    var configuration = configuration
    configuration.readonly = true
    // Whoever asks has another way, and is not to wait.
    configuration.busyMode = .immediateError
    let connection = try ReadingConnection(path: path, configuration)
    source = Mutex(Source(connection: connection, index: try connection.logIndex()))
  }

  /// Nil where the file cannot be read, while a commit is written, or while another thread asks.
  var value: Int64? {
    source.withLockIfAvailable { source in
      guard let source else { return nil }
      return if let index = source.index { index.change } else { try? source.connection.dataVersion() }
    } ?? nil
  }

  func close() throws {
    try source.withLock { source in
      try source?.connection.close()
      source = nil
    }
  }
}
