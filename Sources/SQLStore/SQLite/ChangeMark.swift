import GRDB
import Synchronization

/// Tells whether anything was committed since it was last asked. Its connection never writes: SQLite's number changes with
/// the commits of all other connections, so that those of this process count like those of others. Numbers of different
/// connections cannot be compared, so there is only one.
final class ChangeMark: Sendable {
  private let connection: Mutex<ReadingConnection>

  init(path: String, _ configuration: Configuration) throws {
    var configuration = configuration
    configuration.readonly = true
    // Whoever asks has another way, and is not to wait.
    configuration.busyMode = .immediateError
    connection = Mutex(try ReadingConnection(path: path, configuration))
  }

  /// Nil where the file cannot be read, or while another thread asks.
  var value: Int64? { connection.withLockIfAvailable { try? $0.dataVersion() } ?? nil }

  func close() throws { try connection.withLock { try $0.close() } }
}
