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
  /// How many reads each connection has at the moment.
  private let loads = Mutex(Array(repeating: 0, count: count))

  init(path: String, _ configuration: Configuration) throws {
    var configuration = configuration
    configuration.readonly = true
    connections = try (0..<Self.count).map { _ in try DatabaseQueue(path: path, configuration: configuration) }
  }

  func close() throws {
    for connection in connections { try connection.close() }
  }

  func read<Value>(_ body: (any SQLConnection) throws -> Value) throws -> Value {
    let number = take()
    defer { loads.withLock { $0[number] -= 1 } }
    // GRDB's `read` prepares the statements around each transaction anew, which costs more than most reads.
    return try connections[number].unsafeRead { database in
      try database.transaction { try body(database) }
    }
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

extension Database {
  /// What the body reads is of one moment.
  fileprivate func transaction<Value>(_ body: () throws -> Value) throws -> Value {
    try run("BEGIN DEFERRED")
    do {
      let value = try body()
      try run("COMMIT")
      return value
    } catch {
      // An error of the disk has ended it already.
      if isInsideTransaction { try run("ROLLBACK") }
      throw error
    }
  }
}
