import Core
import Synchronization

/// One reading for all who ask at the same time: each of them is answered by one that began after the question, and at most one goes on
/// at a time.
final class SharedReading<Value: Sendable>: Sendable {
  struct Answer: Sendable {
    let value: Value
    /// Whether it began before the question, because the one that was asked for takes too long.
    let isOld: Bool
  }

  private struct State {
    /// Under way, or over.
    var last: Task<Value, any Error>?
    /// Asked for, and not begun.
    var waiting: Task<Value, any Error>?
    var latest: (value: Value, readAt: Instant)?
  }

  /// What is older is no answer to anything.
  static var longestAge: Duration { .seconds(120) }

  private let clock: any WallClock
  private let read: @Sendable () async throws -> Value
  private let state = Mutex(State())

  init(clock: any WallClock, read: @escaping @Sendable () async throws -> Value) {
    self.clock = clock
    self.read = read
  }

  /// What is read from now on. One that is not there within the patience is replaced by the last that was, and where there is none, is
  /// waited for.
  func answer(patience: Duration) async throws -> Answer {
    let reading = next()
    if let result = await result(of: reading, within: patience) {
      return Answer(value: try result.get(), isOld: false)
    }
    let now = clock.uptime
    if let latest = state.withLock({ $0.latest }), now - latest.readAt <= Self.longestAge {
      return Answer(value: latest.value, isOld: true)
    }
    return Answer(value: try await reading.value, isOld: false)
  }

  /// What is read from now on; nil where that is not there in time.
  func value(within limit: Duration) async throws -> Value? {
    try await result(of: next(), within: limit)?.get()
  }

  private func next() -> Task<Value, any Error> {
    state.withLock { state in
      if let waiting = state.waiting { return waiting }
      let task = Task { [before = state.last] in
        _ = await before?.result
        self.state.withLock { $0.waiting = nil }
        let began = self.clock.uptime
        let value = try await self.read()
        self.state.withLock { $0.latest = (value, began) }
        return value
      }
      (state.last, state.waiting) = (task, task)
      return task
    }
  }

  private func result(of reading: Task<Value, any Error>, within limit: Duration) async -> Result<Value, any Error>? {
    await withCheckedContinuation { continuation in
      let once = Once(continuation)
      let timeout = Task { [clock] in
        try? await clock.sleep(for: limit)
        once.resume(nil)
      }
      Task {
        once.resume(await reading.result)
        timeout.cancel()
      }
    }
  }

  /// Resumes with whatever comes first.
  private final class Once: Sendable {
    private let continuation: Mutex<CheckedContinuation<Result<Value, any Error>?, Never>?>

    init(_ continuation: CheckedContinuation<Result<Value, any Error>?, Never>) {
      self.continuation = Mutex(continuation)
    }

    func resume(_ result: Result<Value, any Error>?) {
      let waiting = continuation.withLock { continuation in
        defer { continuation = nil }
        return continuation
      }
      waiting?.resume(returning: result)
    }
  }
}
