import Core
import Synchronization

@testable import SQLStore

/// A database of which one answer is lost, as by a connection that breaks in a commit: what was to be written is written. While
/// told to, it answers no question.
final class ForgetfulDatabase: SQLDatabase {
  private let database: any SQLDatabase
  private let writesUntilLoss = Mutex(0)
  private let isSilent = Mutex(false)
  private let interruption = Mutex<(rest: Int, body: @Sendable () async throws -> Void)>((0, {}))

  init(_ database: any SQLDatabase) {
    self.database = database
  }

  /// - Parameter number: Of the write whose answer is lost: 1 for the next one.
  func loseAnswer(ofWrite number: Int) {
    writesUntilLoss.withLock { $0 = number }
  }

  func answerQuestions(_ answers: Bool) { isSilent.withLock { $0 = !answers } }

  /// Has something else done before that write: 1 for the next one.
  func interrupt(beforeWrite number: Int, _ body: @escaping @Sendable () async throws -> Void) {
    interruption.withLock { $0 = (number, body) }
  }

  func read<Value: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Value
  ) async throws -> Value {
    if isSilent.withLock({ $0 }) { throw StoreUnavailable("There is no answer.") }
    return try await database.read(body)
  }

  func write<Value: Sendable>(
    _ body: @escaping @Sendable (any SQLConnection) throws -> Value
  ) async throws -> Value {
    let isInterrupted = interruption.withLock { interruption in
      interruption.rest -= 1
      return interruption.rest == 0
    }
    if isInterrupted {
      let body = interruption.withLock { $0.body }
      try await body()
    }
    let value = try await database.write(body)
    let isLost = writesUntilLoss.withLock { count in
      count -= 1
      return count == 0
    }
    if isLost { throw StoreUnavailable("The answer was lost.") }
    return value
  }

  var changeMark: (@Sendable () -> Int64?)? { database.changeMark }
  func changesElsewhere() -> AsyncStream<StoreChange> { database.changesElsewhere() }
  func backUp(to path: String) async throws { try await database.backUp(to: path) }
  func release() throws { try database.release() }
}
