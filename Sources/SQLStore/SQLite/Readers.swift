import GRDB
import Synchronization

/// Connections for reading, outside the pool that writes. A read takes microseconds, so it runs where it is asked for: handing
/// it to another thread and back would cost several times as much.
///
/// Only synchronous reads may be made here. Whoever waits for a connection then waits for a thread that is reading, and
/// never for one that has yet to be scheduled: that is what hangs a pool that is read both ways.
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

  /// The first of those that have the least to do: each connection prepares its own statements and has its own pages, and as
  /// long as one is enough, only one does.
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
