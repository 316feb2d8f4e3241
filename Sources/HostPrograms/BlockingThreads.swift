import Core
import Foundation
import Synchronization

/// A bounded number of threads for calls that block, so that they never block the cooperative pool. A call that outlives its
/// limit is given up: its caller gets an error, another thread takes its place, and its late result is dropped.
package final class BlockingThreads: Sendable {
  private struct Job: Sendable {
    let id: Int
    let body: @Sendable () -> Void
  }

  private struct State {
    var nextID = 0
    var queue: [Job] = []
    var threads = 0
    var running: Set<Int> = []
    /// The jobs in `running` whose callers have stopped waiting.
    var abandoned: Set<Int> = []
  }

  private let name: String
  private let width: Int
  private let abandonedLimit: Int
  private let state = Mutex(State())
  private let wakeup = DispatchSemaphore(value: 0)

  package init(name: String, width: Int) {
    self.name = name
    self.width = width
    self.abandonedLimit = 4 * width
  }

  /// Throws what the body throws, or `unreachable` once the limit has passed.
  package func run<Value: Sendable>(
    _ what: String, within limit: Duration, _ body: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    let promise = Promise<Value>()
    let id = try enqueue(what) { promise.fulfil(Result(catching: body)) }
    let timer = Task {
      try await Task.sleep(for: limit)
      promise.fulfil(.failure(DriverError(.unreachable, "\(what) did not return within \(limit)")))
      abandon(id)
    }
    defer { timer.cancel() }
    return try await promise.value()
  }

  private func enqueue(_ what: String, _ body: @escaping @Sendable () -> Void) throws -> Int {
    let (id, needsThread) = try state.withLock { state in
      guard state.abandoned.count < abandonedLimit else {
        throw DriverError(.unreachable, "\(what): \(state.abandoned.count) earlier calls hang")
      }
      state.nextID += 1
      state.queue.append(Job(id: state.nextID, body: body))
      return (state.nextID, Self.takeThread(&state, width: width))
    }
    if needsThread { startThread() }
    wakeup.signal()
    return id
  }

  private func abandon(_ id: Int) {
    let needsThread = state.withLock { state in
      if let index = state.queue.firstIndex(where: { $0.id == id }) {
        state.queue.remove(at: index)
        return false
      }
      guard state.running.contains(id) else { return false }
      state.abandoned.insert(id)
      return Self.takeThread(&state, width: width)
    }
    if needsThread { startThread() }
  }

  private static func takeThread(_ state: inout State, width: Int) -> Bool {
    let idle = state.threads - state.running.count
    guard idle < state.queue.count, state.threads - state.abandoned.count < width else { return false }
    state.threads += 1
    return true
  }

  private func startThread() {
    let thread = Thread { [self] in
      while true {
        let isIdle = wakeup.wait(timeout: .now() + 10) == .timedOut
        while let job = nextJob() {
          job.body()
          finish(job.id)
        }
        if shouldEnd(isIdle: isIdle) { return }
      }
    }
    thread.name = name
    thread.start()
  }

  private func nextJob() -> Job? {
    state.withLock { state in
      guard !state.queue.isEmpty, state.threads - state.abandoned.count <= width else { return nil }
      let job = state.queue.removeFirst()
      state.running.insert(job.id)
      return job
    }
  }

  private func finish(_ id: Int) {
    state.withLock { state in
      state.running.remove(id)
      state.abandoned.remove(id)
    }
  }

  private func shouldEnd(isIdle: Bool) -> Bool {
    state.withLock { state in
      let isSurplus = state.threads - state.abandoned.count > width
      guard isSurplus || (isIdle && state.queue.isEmpty) else { return false }
      state.threads -= 1
      return true
    }
  }
}

/// A result that the first call of `fulfil` sets, and that is awaited once.
private final class Promise<Value: Sendable>: Sendable {
  private enum State {
    case pending
    case awaited(CheckedContinuation<Value, any Error>)
    case fulfilled(Result<Value, any Error>)
    case taken
  }

  private let state = Mutex(State.pending)

  func fulfil(_ result: Result<Value, any Error>) {
    let continuation: CheckedContinuation<Value, any Error>? = state.withLock { state in
      switch state {
      case .pending:
        state = .fulfilled(result)
        return nil
      case .awaited(let continuation):
        state = .taken
        return continuation
      case .fulfilled, .taken:
        return nil
      }
    }
    continuation?.resume(with: result)
  }

  func value() async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      let result: Result<Value, any Error>? = state.withLock { state in
        if case .fulfilled(let result) = state {
          state = .taken
          return result
        }
        state = .awaited(continuation)
        return nil
      }
      if let result { continuation.resume(with: result) }
    }
  }
}
