import Synchronization

/// Lets many writes share one transaction, and so one wait for the disk. Writes that arrive during a transaction are carried
/// out together in the next one.
///
/// A write is carried out even where the task that asked for it is cancelled meanwhile: its caller learns what became of it.
final class GroupCommit: Sendable {
  private struct Queue {
    var waiting: [any PendingWrite] = []
    var isDraining = false
  }

  private let maximumBatchSize: Int
  /// Has the writing thread call `nextBatch` until it returns nil.
  private let drain: @Sendable (GroupCommit) -> Void
  private let queue = Mutex(Queue())

  init(maximumBatchSize: Int, drain: @escaping @Sendable (GroupCommit) -> Void) {
    self.maximumBatchSize = maximumBatchSize
    self.drain = drain
  }

  /// Carries the body out in a transaction, and returns once it is on the disk. A body that throws leaves nothing behind,
  /// and does not disturb the others.
  func write<Value: Sendable>(_ body: @escaping @Sendable (any SQLConnection) throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      let mustDrain = queue.withLock { queue in
        queue.waiting.append(Write(body: body, continuation: continuation))
        defer { queue.isDraining = true }
        return !queue.isDraining
      }
      if mustDrain { drain(self) }
    }
  }

  func nextBatch() -> [any PendingWrite]? {
    queue.withLock { queue in
      guard !queue.waiting.isEmpty else {
        queue.isDraining = false
        return nil
      }
      let batch = Array(queue.waiting.prefix(maximumBatchSize))
      queue.waiting.removeFirst(batch.count)
      return batch
    }
  }
}

/// A connection whose transaction may be over when an error is thrown.
protocol TransactionConnection: SQLConnection {
  /// Whether the whole transaction is rolled back after this error, or has to be.
  func isTransactionLost(after error: any Error) -> Bool
}

protocol PendingWrite: Sendable {
  /// Carries the write out, and returns a closure that answers the caller, for after the commit. Throws where the whole
  /// transaction is lost.
  func run(in connection: any TransactionConnection) throws -> @Sendable () -> Void
  func fail(_ error: any Error)
}

private struct Write<Value: Sendable>: PendingWrite {
  let body: @Sendable (any SQLConnection) throws -> Value
  let continuation: CheckedContinuation<Value, any Error>

  func run(in connection: any TransactionConnection) throws -> @Sendable () -> Void {
    try connection.run("SAVEPOINT job")
    do {
      let value = try body(connection)
      try connection.run("RELEASE SAVEPOINT job")
      return { continuation.resume(returning: value) }
    } catch {
      // An error such as a full disk ends the whole transaction, with the writes before this one.
      if connection.isTransactionLost(after: error) { throw error }
      try connection.run("ROLLBACK TO SAVEPOINT job")
      try connection.run("RELEASE SAVEPOINT job")
      return { continuation.resume(throwing: error) }
    }
  }

  func fail(_ error: any Error) {
    continuation.resume(throwing: error)
  }
}
