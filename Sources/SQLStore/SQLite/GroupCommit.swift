import GRDB
import Synchronization

/// Lets many writes share one transaction, and so one wait for the disk. Whoever comes while a transaction is being
/// committed waits for the next one, together with all others who came.
///
/// A write is carried out even where the task that asked for it is cancelled meanwhile: its caller learns what became of it.
final class GroupCommit: Sendable {
  private static let maximumBatchSize = 128

  private struct Queue {
    var waiting: [any Write] = []
    var isDraining = false
  }

  private let pool: DatabasePool
  private let queue = Mutex(Queue())

  init(_ pool: DatabasePool) {
    self.pool = pool
  }

  /// Carries the body out in a transaction, and returns once it is on the disk. A body that throws leaves nothing behind,
  /// and does not disturb the others.
  func write<Value: Sendable>(_ body: @escaping @Sendable (any SQLConnection) throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      let mustDrain = queue.withLock { queue in
        queue.waiting.append(PendingWrite(body: body, continuation: continuation))
        defer { queue.isDraining = true }
        return !queue.isDraining
      }
      if mustDrain {
        pool.asyncWriteWithoutTransaction { database in self.drain(into: database) }
      }
    }
  }

  private func drain(into database: Database) {
    while let batch = nextBatch() {
      commit(batch, to: database)
    }
  }

  private func nextBatch() -> [any Write]? {
    queue.withLock { queue in
      guard !queue.waiting.isEmpty else {
        queue.isDraining = false
        return nil
      }
      let batch = Array(queue.waiting.prefix(Self.maximumBatchSize))
      queue.waiting.removeFirst(batch.count)
      return batch
    }
  }

  private func commit(_ batch: [any Write], to database: Database) {
    var answers: [@Sendable () -> Void] = []
    do {
      try database.inTransaction(.immediate) {
        for write in batch {
          answers.append(try write.run(in: database))
        }
        return .commit
      }
      for answer in answers { answer() }
    } catch {
      for write in batch { write.fail(error) }
    }
  }
}

private protocol Write: Sendable {
  /// Returns what answers the caller once the transaction is committed. Throws where the transaction itself is lost.
  func run(in database: Database) throws -> @Sendable () -> Void
  func fail(_ error: any Error)
}

private struct PendingWrite<Value: Sendable>: Write {
  let body: @Sendable (any SQLConnection) throws -> Value
  let continuation: CheckedContinuation<Value, any Error>

  func run(in database: Database) throws -> @Sendable () -> Void {
    try database.run("SAVEPOINT job")
    do {
      let value = try body(database)
      try database.run("RELEASE SAVEPOINT job")
      return { continuation.resume(returning: value) }
    } catch {
      // A full disk and its like end the whole transaction, and with it what the writes before this one did.
      guard database.isInsideTransaction else { throw error }
      try database.run("ROLLBACK TO SAVEPOINT job")
      try database.run("RELEASE SAVEPOINT job")
      return { continuation.resume(throwing: error) }
    }
  }

  func fail(_ error: any Error) {
    continuation.resume(throwing: error)
  }
}
