import Dispatch
import Synchronization

/// Tasks that sleep until their time. A sleep that is cancelled is forgotten at once. That of `Task.sleep` stays in memory
/// with its task until its time, and a limit of minutes around each of many short steps would keep thousands of them.
final class SleepingTasks: Sendable {
  static let all = SleepingTasks()

  private struct State {
    var sleepers: [UInt64: CheckedContinuation<Void, any Error>] = [:]
    /// The times of all sleepers, and of some that were cancelled.
    var times = Times()
    var lastID: UInt64 = 0
    /// For when the timer is set.
    var alarm: UInt64?
  }

  private let state = Mutex(State())
  /// Its methods may be called on any thread, which Dispatch does not declare on Linux.
  private nonisolated(unsafe) let timer: any DispatchSourceTimer

  init() {
    timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "vpsd.sleeping-tasks"))
    timer.setEventHandler { [weak self] in self?.wake() }
    timer.activate()
  }

  deinit { timer.cancel() }

  /// How many tasks sleep, and how many times are kept for them.
  var count: (sleepers: Int, times: Int) { state.withLock { ($0.sleepers.count, $0.times.count) } }

  /// Throws `CancellationError` as soon as the task is cancelled.
  func sleep(for duration: Duration) async throws {
    let due = DispatchTime.now().uptimeNanoseconds + duration.positiveNanoseconds
    let id = state.withLock { state in
      state.lastID += 1
      return state.lastID
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let isCancelled = state.withLock { state in
          // Where this is false, the handler below finds the sleeper.
          if Task.isCancelled { return true }
          state.sleepers[id] = continuation
          state.times.insert(Times.Entry(due: due, id: id))
          setTimer(&state)
          return false
        }
        if isCancelled { continuation.resume(throwing: CancellationError()) }
      }
    } onCancel: {
      let sleeper = state.withLock { state in
        let sleeper = state.sleepers.removeValue(forKey: id)
        if state.times.count > 2 * state.sleepers.count + 64 {
          state.times.retain { state.sleepers[$0.id] != nil }
        }
        return sleeper
      }
      sleeper?.resume(throwing: CancellationError())
    }
  }

  private func wake() {
    let due = state.withLock { state in
      state.alarm = nil
      let now = DispatchTime.now().uptimeNanoseconds
      var due: [CheckedContinuation<Void, any Error>] = []
      while let first = state.times.first, first.due <= now {
        state.times.removeFirst()
        if let sleeper = state.sleepers.removeValue(forKey: first.id) { due.append(sleeper) }
      }
      setTimer(&state)
      return due
    }
    for sleeper in due { sleeper.resume() }
  }

  private func setTimer(_ state: inout State) {
    guard let first = state.times.first, first.due < state.alarm ?? .max else { return }
    state.alarm = first.due
    timer.schedule(deadline: DispatchTime(uptimeNanoseconds: first.due))
  }
}

/// A binary heap: each entry is due before the two below it.
private struct Times {
  struct Entry: Comparable {
    let due: UInt64
    let id: UInt64

    static func < (left: Self, right: Self) -> Bool { (left.due, left.id) < (right.due, right.id) }
  }

  private var entries: [Entry] = []

  var count: Int { entries.count }
  var first: Entry? { entries.first }

  mutating func insert(_ entry: Entry) {
    entries.append(entry)
    var index = entries.count - 1
    while index > 0, entries[index] < entries[(index - 1) / 2] {
      entries.swapAt(index, (index - 1) / 2)
      index = (index - 1) / 2
    }
  }

  mutating func removeFirst() {
    entries.swapAt(0, entries.count - 1)
    entries.removeLast()
    var index = 0
    while true {
      var earliest = index
      for below in [2 * index + 1, 2 * index + 2] where below < entries.count && entries[below] < entries[earliest] {
        earliest = below
      }
      if earliest == index { return }
      entries.swapAt(index, earliest)
      index = earliest
    }
  }

  mutating func retain(_ isKept: (Entry) -> Bool) {
    // A sorted array is such a heap too.
    entries = entries.filter(isKept).sorted()
  }
}

extension Duration {
  /// No more than about a century.
  fileprivate var positiveNanoseconds: UInt64 {
    let (seconds, attoseconds) = components
    guard self > .zero else { return 0 }
    return UInt64(min(seconds, 1 << 32)) * 1_000_000_000 + UInt64(attoseconds) / 1_000_000_000
  }
}
