import Core
import GRDB
import GRDBSQLite
import Synchronization

@testable import SQLStore

/// Counts the instructions that SQLite carries out.
struct CountingDatabase: SQLDatabase {
  private final class Counter: Sendable {
    let steps = Atomic(0)
  }

  private let queue: DatabaseQueue
  private let counter = Counter()

  init(path: String) throws {
    var configuration = Configuration()
    configuration.prepareDatabase { database in
      for function in [DatabaseFunction.lower, .clock, .silence] { database.add(function: function) }
    }
    queue = try DatabaseQueue(path: path, configuration: configuration)
    let context = Unmanaged.passUnretained(counter).toOpaque()
    queue.writeWithoutTransaction { database in
      sqlite3_progress_handler(
        database.sqliteConnection, 1,
        { context in
          guard let context else { return 0 }
          Unmanaged<Counter>.fromOpaque(context).takeUnretainedValue().steps.add(1, ordering: .relaxed)
          return 0
        }, context)
    }
  }

  var count: Int { counter.steps.load(ordering: .relaxed) }

  func read<Value: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Value
  ) async throws -> Value {
    try await queue.read { try body($0) }
  }

  func write<Value: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Value
  ) async throws -> Value {
    try await queue.write { try body($0) }
  }

  var changeMark: (@Sendable () -> Int64?)? { nil }

  func changesElsewhere() -> AsyncStream<StoreChange> { AsyncStream { $0.finish() } }
  func backUp(to path: String) async throws {}
  func release() throws { try queue.close() }
}
