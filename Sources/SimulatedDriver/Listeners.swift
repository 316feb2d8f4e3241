import Synchronization

/// Who is told that something has changed.
///
/// Apart from all other locks, and with none held while they are told: a task that is cancelled holds locks of its own while its
/// listener goes, and whoever is told needs them.
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
