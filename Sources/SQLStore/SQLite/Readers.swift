import GRDB
import Synchronization

/// Connections for reading, outside the pool that writes. A read takes microseconds, so it runs where it is asked for: handing
/// it to another thread and back would cost several times as much.
///
/// Only synchronous reads may be made here. Whoever waits for a connection then waits for a thread that is reading, and
/// never for one that has yet to be scheduled: that is what hangs a pool that is read both ways.
final class Readers: Sendable {
  private static let count = 4

  private let connections: [DatabaseQueue]
  private let turn = Atomic(0)

  init(path: String, _ configuration: Configuration) throws {
    var configuration = configuration
    configuration.readonly = true
    connections = try (0..<Self.count).map { _ in try DatabaseQueue(path: path, configuration: configuration) }
  }

  func close() throws {
    for connection in connections { try connection.close() }
  }

  func read<Value>(_ body: (any SQLConnection) throws -> Value) throws -> Value {
    let number = turn.wrappingAdd(1, ordering: .relaxed).oldValue & Int.max
    return try connections[number % Self.count].read(body)
  }
}
