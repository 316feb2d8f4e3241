import GRDB
import Synchronization

/// Connections for reading, outside the pool that writes. A read takes microseconds, so it runs on the calling thread: handing
/// it to another thread and back would cost several times as much.
///
/// Only synchronous reads may be made here. So whoever waits for a connection waits for a thread that is reading, and never for
/// a task that is not scheduled yet, which would make the pool hang.
final class Readers: Sendable {
  private static let count = 4

  private let connections: [Reader]
  /// How many reads each connection has at the moment.
  private let loads = Mutex(Array(repeating: 0, count: count))

  init(path: String, _ configuration: Configuration) throws {
    var configuration = configuration
    configuration.readonly = true
    connections = try (0..<Self.count).map { _ in
      Reader(try ReadingConnection(path: path, configuration))
    }
  }

  func close() throws {
    for reader in connections { try reader.connection.withLock { try $0.close() } }
  }

  func read<Value: Sendable>(_ body: @Sendable (any SQLConnection) throws -> Value) throws -> Value {
    let number = take()
    defer { loads.withLock { $0[number] -= 1 } }
    return try connections[number].connection.withLock { try $0.transaction(body) }
  }

  /// Takes the first of the least busy connections. Each has its own prepared statements and page cache, so as long as one
  /// connection is enough, only that one is used.
  private func take() -> Int {
    loads.withLock { loads in
      let number = loads.indices.min { loads[$0] < loads[$1] } ?? 0
      loads[number] += 1
      return number
    }
  }
}

private final class Reader: Sendable {
  let connection: Mutex<ReadingConnection>

  init(_ connection: sending ReadingConnection) { self.connection = Mutex(connection) }
}
