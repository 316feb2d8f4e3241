package import Core
import Synchronization

/// A clock that stands still until a test moves it.
package final class ManualClock: WallClock {
  private struct Sleeper {
    let deadline: Instant
    let continuation: CheckedContinuation<Void, any Error>
  }

  private struct State {
    var now: Timestamp
    var uptime = Instant(elapsed: .zero)
    var nextNumber = 0
    var sleepers: [Int: Sleeper] = [:]
    var onlookers: [Int: AsyncStream<Int>.Continuation] = [:]

    mutating func takeNumber() -> Int {
      nextNumber += 1
      return nextNumber
    }

    func tellOnlookers() {
      for onlooker in onlookers.values { onlooker.yield(sleepers.count) }
    }
  }

  private let state: Mutex<State>

  /// Begins at noon of 15 January 2026, unless told otherwise.
  package init(now: Timestamp = Timestamp(millisecondsSinceEpoch: 1_768_478_400_000)) {
    state = Mutex(State(now: now))
  }

  package var now: Timestamp { state.withLock { $0.now } }

  package var uptime: Instant { state.withLock { $0.uptime } }

  /// The earliest time of day at which a sleeper is due; nil where nobody sleeps.
  package var nextDeadline: Timestamp? {
    state.withLock { state in
      state.sleepers.values.map(\.deadline).min().map { state.now + ($0 - state.uptime) }
    }
  }

  /// Lets time pass, including the time of day. Wakes all sleepers that are due, in the order of their deadlines.
  package func advance(by duration: Duration) {
    let woken = state.withLock { state in
      state.now = state.now + duration
      state.uptime = state.uptime + duration
      let due = state.sleepers.filter { $0.value.deadline <= state.uptime }
      for number in due.keys { state.sleepers[number] = nil }
      state.tellOnlookers()
      return due.values.sorted { $0.deadline < $1.deadline }
    }
    for sleeper in woken { sleeper.continuation.resume() }
  }

  /// Lets time pass until the given time of day; does nothing if that is past.
  package func advance(to time: Timestamp) {
    advance(by: max(.zero, time - now))
  }

  /// Sets the time of day, forward or back, without letting time pass.
  package func setTimeOfDay(to time: Timestamp) {
    state.withLock { $0.now = time }
  }

  package func sleep(for duration: Duration) async throws {
    let number = state.withLock { $0.takeNumber() }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        // A cancellation before this point has found no sleeper to wake, but has set the flag.
        let outcome: Result<Void, any Error>? = state.withLock { state in
          if Task.isCancelled { return .failure(CancellationError()) }
          if duration <= .zero { return .success(()) }
          state.sleepers[number] = Sleeper(deadline: state.uptime + duration, continuation: continuation)
          state.tellOnlookers()
          return nil
        }
        if let outcome { continuation.resume(with: outcome) }
      }
    } onCancel: {
      let sleeper = state.withLock { state in
        let sleeper = state.sleepers.removeValue(forKey: number)
        state.tellOnlookers()
        return sleeper
      }
      sleeper?.continuation.resume(throwing: CancellationError())
    }
  }

  /// Returns when at least so many sleep at once, or the task is cancelled: then it is safe to move the clock.
  package func whenSleeping(_ count: Int = 1) async {
    await whenSleeping { $0 >= count }
  }

  /// Returns when at most so many sleep, or the task is cancelled.
  package func whenSleeping(atMost count: Int) async {
    await whenSleeping { $0 <= count }
  }

  /// Returns when exactly so many sleep, and none of them for longer than this, or the task is cancelled.
  package func whenSleeping(exactly count: Int, forAtMost duration: Duration) async {
    await whenSleeping { _ in
      state.withLock { state in
        state.sleepers.count == count && state.sleepers.values.allSatisfy { $0.deadline <= state.uptime + duration }
      }
    }
  }

  /// Returns when the next sleeper is due at this time, or the task is cancelled.
  package func whenNextDeadline(is time: Timestamp) async {
    await whenSleeping { _ in nextDeadline == time }
  }

  private func whenSleeping(_ isWanted: (Int) -> Bool) async {
    let (counts, continuation) = AsyncStream.makeStream(of: Int.self)
    let number = state.withLock { state in
      let number = state.takeNumber()
      state.onlookers[number] = continuation
      continuation.yield(state.sleepers.count)
      return number
    }
    defer { state.withLock { _ = $0.onlookers.removeValue(forKey: number) } }
    for await sleeping in counts where isWanted(sleeping) { return }
  }
}
