import Synchronization

/// The streams that are told of changes.
///
/// They have a lock of their own, which is not held while they are told: a task that is being cancelled holds locks of the
/// runtime while its stream is removed here, and telling a stream needs these locks, too.
final class Listeners: Sendable {
  private struct State {
    var last = 0
    var all: [Int: AsyncStream<Void>.Continuation] = [:]
  }

  private let state = Mutex(State())

  func listen() -> AsyncStream<Void> {
    let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let number = state.withLock { state in
      state.last += 1
      state.all[state.last] = continuation
      return state.last
    }
    continuation.onTermination = { [weak self] _ in
      self?.state.withLock { _ = $0.all.removeValue(forKey: number) }
    }
    return stream
  }

  func tell() {
    for listener in state.withLock({ $0.all }).values { listener.yield() }
  }

  deinit {
    for listener in state.withLock({ $0.all }).values { listener.finish() }
  }
}
