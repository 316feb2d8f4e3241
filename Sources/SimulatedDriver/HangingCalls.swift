import Core
import Synchronization

/// Lets calls wait that were told to hang.
final class HangingCalls: Sendable {
  private struct State {
    var nextNumber = 0
    var waiting: [Int: CheckedContinuation<Void, any Error>] = [:]
    var onlookers: [Int: AsyncStream<Int>.Continuation] = [:]

    mutating func takeNumber() -> Int {
      nextNumber += 1
      return nextNumber
    }

    func tellOnlookers() {
      for onlooker in onlookers.values { onlooker.yield(waiting.count) }
    }
  }

  private let state = Mutex(State())

  /// Returns at the next `open`; throws `unreachable` when the task is cancelled first.
  func wait() async throws {
    let number = state.withLock { $0.takeNumber() }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        // A cancellation that comes before this finds nothing to resume, but has set the flag by then.
        let isCancelled = state.withLock { state in
          guard !Task.isCancelled else { return true }
          state.waiting[number] = continuation
          state.tellOnlookers()
          return false
        }
        if isCancelled { continuation.resume(throwing: Self.cancelled) }
      }
    } onCancel: {
      let continuation = state.withLock { state in
        let continuation = state.waiting.removeValue(forKey: number)
        state.tellOnlookers()
        return continuation
      }
      continuation?.resume(throwing: Self.cancelled)
    }
  }

  /// Releases all calls that wait now.
  func open() {
    let released = state.withLock { state in
      let released = state.waiting
      state.waiting = [:]
      state.tellOnlookers()
      return released
    }
    for continuation in released.values { continuation.resume() }
  }

  /// Returns when so many calls wait at once, or the task is cancelled.
  func whenWaiting(_ count: Int) async {
    let (counts, continuation) = AsyncStream.makeStream(of: Int.self)
    let number = state.withLock { state in
      let number = state.takeNumber()
      state.onlookers[number] = continuation
      continuation.yield(state.waiting.count)
      return number
    }
    defer { state.withLock { _ = $0.onlookers.removeValue(forKey: number) } }
    for await waiting in counts where waiting >= count { return }
  }

  private static let cancelled = DriverError(.unreachable, "The call was cancelled while the driver hung.")
}
